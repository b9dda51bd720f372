/** Collects the parameters of a statement that is put together: text never becomes part of it. */
export class Binder {
  readonly params: (string | number | null)[] = [];

  /** The place of a value, such as `$3`. */
  add(value: string | number | null): string {
    this.params.push(value);
    return `$${this.params.length}`;
  }
}

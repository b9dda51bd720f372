/** Of one session: how many leases live, by the beat that gave them. */
export class LiveBatches {
  readonly #living = new Map<string, number>();

  adopted({ beat }: { beat: string | null }): void {
    if (beat !== null) this.#living.set(beat, (this.#living.get(beat) ?? 0) + 1);
  }

  /** The beat of which nothing lives any more. A lease ends once, however often it is said. */
  ended(lease: { beat: string | null }): string | null {
    const { beat } = lease;
    if (beat === null) return null;
    lease.beat = null;
    const left = (this.#living.get(beat) ?? 0) - 1;
    if (left > 0) this.#living.set(beat, left);
    else this.#living.delete(beat);
    return left > 0 ? null : beat;
  }
}

/**
 * Contexts frozen at dispatch, interned by the hash of their body (engine rule 25): equal contexts
 * are stored once, and a context that this process has stored lately is not sent again.
 */
import { byId } from "../db/row_arrays.ts";
import type { FreshContext } from "../db/statements/lease_jobs.ts";
import { hashUuid } from "./names.ts";

const REMEMBERED_MAX = 20_000;
/** So often each is stored again that is still used: retention goes by when that was. */
const AGAIN_MS = 12 * 3_600_000;

export class Contexts {
  /** Ids known to be stored. */
  readonly #stored = new Set<string>();
  /** Named by decisions of this beat, not stored yet. */
  readonly #fresh = new Map<string, FreshContext>();
  readonly #byText = new Map<string, string>();
  /** Most dispatches of a beat name the same few objects: to write them as text took 4 % of the server's time. */
  readonly #byBody = new WeakMap<object, string>();
  #since = performance.now();

  /** The id of this context, which must not be changed any more; the next beat stores it if it must. */
  id(kind: "worker" | "job" | "instance", body: object): string {
    let id = this.#byBody.get(body);
    if (!id) {
      id = this.#ofText(`${kind}:${JSON.stringify(body)}`);
      this.#byBody.set(body, id);
    }
    if (!this.#stored.has(id)) this.#fresh.set(id, { id, kind, body });
    return id;
  }

  #ofText(text: string): string {
    let id = this.#byText.get(text);
    if (!id) {
      id = hashUuid(text);
      if (this.#byText.size >= REMEMBERED_MAX) this.#byText.clear();
      this.#byText.set(text, id);
    }
    return id;
  }

  /** What decisions have named and is not known to be stored, by id: what every lease beat writes. */
  get fresh(): FreshContext[] {
    return byId([...this.#fresh.values()], (row) => row.id);
  }

  /** They are stored now. */
  confirm(rows: readonly FreshContext[]): void {
    if (performance.now() - this.#since > AGAIN_MS) {
      this.#stored.clear();
      this.#since = performance.now();
    }
    for (const { id } of rows) {
      this.#fresh.delete(id);
      if (this.#stored.size >= REMEMBERED_MAX) this.#stored.clear();
      this.#stored.add(id);
    }
  }
}

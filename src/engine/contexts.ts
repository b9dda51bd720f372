/**
 * Contexts frozen at dispatch, interned by the hash of their body (engine rule 25): equal contexts
 * are stored once, and a context that this process has stored lately is not sent again.
 */
import { jsonArray, plainArray, textArray } from "../db/arrays.ts";
import type { Transaction } from "../db/client.ts";
import { hashUuid } from "./names.ts";

const REMEMBERED_MAX = 20_000;

interface Context {
  id: string;
  kind: string;
  body: object;
}

export class Contexts {
  /** Ids known to be stored. */
  readonly #stored = new Set<string>();
  /** Named by decisions of this beat, not stored yet. */
  readonly #fresh = new Map<string, Context>();
  readonly #byText = new Map<string, string>();
  /** Most dispatches of a beat name the same few objects: to write them as text took 4 % of the server's time. */
  readonly #byBody = new WeakMap<object, string>();

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

  /** Whether a decision named a context that is not stored yet. */
  get fresh(): boolean {
    return this.#fresh.size > 0;
  }

  /** Inserts what is fresh, in the beat's own transaction. Returns what to confirm after commit. */
  async store(tx: Transaction): Promise<string[]> {
    const rows = [...this.#fresh.values()];
    if (rows.length === 0) return [];
    rows.sort((a, b) => (a.id < b.id ? -1 : 1));
    await tx.unsafe(
      `insert into context_snapshot (id, kind, body)
       select id, kind, body::jsonb from unnest($1::uuid[], $2::text[], $3::text[]) as t(id, kind, body)
       on conflict (id) do nothing`,
      [
        plainArray(rows.map((r) => r.id)),
        textArray(rows.map((r) => r.kind)),
        jsonArray(rows.map((r) => r.body)),
      ],
      { prepare: true },
    );
    return rows.map((r) => r.id);
  }

  confirm(ids: string[]): void {
    for (const id of ids) {
      this.#fresh.delete(id);
      if (this.#stored.size >= REMEMBERED_MAX) this.#stored.clear();
      this.#stored.add(id);
    }
  }
}

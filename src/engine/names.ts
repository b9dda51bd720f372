/** The interner: `Interner` for readers, and the making of new names for submissions. */
import { createHash } from "node:crypto";
import { plainArray, textArray } from "../db/arrays.ts";
import type { Sql } from "../db/client.ts";
import {
  internJobNames,
  internQueues,
  internShapes,
  loadNames,
  type ShapeInput,
} from "../db/statements/intern.ts";
import type { Interner, ShapeFacts } from "./interner.ts";

export interface NameFacts {
  id: number;
  /** The id under which it is counted: its own, or 0 for "other". */
  counted: number;
}

/** Names held at most a map; past that the oldest go and are loaded again when asked for. */
const CACHE_MAX = 200_000;
/** So often each is interned again that jobs are still submitted with: retention goes by when that was. */
const AGAIN_MS = 24 * 3_600_000;
/** Different requirements that are held once for all shapes that have them. */
const REQUIREMENTS_MAX = 10_000;

export class Names implements Interner {
  readonly #sql: Sql;
  readonly #orgs = new Map<number, string>();
  readonly #orgIds = new Map<string, number>();
  readonly #queues = new Map<number, { name: string; org: number }>();
  readonly #queueIds = new Map<string, number>();
  readonly #names = new Map<number, string>();
  #nameFacts = new Map<string, NameFacts>();
  /** Those that are counted as others. */
  readonly #uncounted = new Set<number>();
  readonly #workers = new Map<number, { name: string; uid: string }>();
  readonly #shapes = new Map<number, ShapeFacts>();
  #shapeIds = new Map<string, number>();
  /** By their text. Thousands of names ask for the same: one object is in the cache, theirs were not. */
  readonly #requirements = new Map<string, ShapeFacts["requirements"]>();

  #since = performance.now();

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  // Reading

  orgName(id: number): string {
    return this.#orgs.get(id) ?? "?";
  }
  queueName(id: number): string {
    return this.#queues.get(id)?.name ?? "?";
  }
  jobName(id: number): string {
    return this.#names.get(id) ?? "?";
  }
  /** Whether a name is one of those that its organization counts by themselves, as far as is known. */
  isCounted(id: number): boolean {
    return this.#names.has(id) && !this.#uncounted.has(id);
  }
  workerName(id: number): string {
    return this.#workers.get(id)?.name ?? "?";
  }
  workerUid(id: number): string {
    return this.#workers.get(id)?.uid ?? "?";
  }
  shape(id: number): ShapeFacts | undefined {
    return this.#shapes.get(id);
  }

  async load(ids: {
    orgs?: Iterable<number>;
    queues?: Iterable<number>;
    names?: Iterable<number>;
    workers?: Iterable<number>;
    shapes?: Iterable<number>;
  }): Promise<void> {
    const missing = {
      orgs: lacking(ids.orgs, this.#orgs),
      queues: lacking(ids.queues, this.#queues),
      names: lacking(ids.names, this.#names),
      workers: lacking(ids.workers, this.#workers),
      shapes: lacking(ids.shapes, this.#shapes),
    };
    if (Object.values(missing).every((list) => list.length === 0)) return;
    const found = await loadNames(this.#sql, missing);
    for (const o of found.orgs) this.#setOrg(o.id, o.name);
    for (const q of found.queues) this.#setQueue(q.id, q.org_id, q.name);
    for (const n of found.names) this.#setName(n.id, n.org_id, n.name, n.counted);
    for (const w of found.workers) this.setWorker(w.id, w.name, w.uid);
    for (const s of found.shapes) this.#setShape(s);
  }

  async orgId(name: string): Promise<number | undefined> {
    const known = this.#orgIds.get(name);
    if (known !== undefined) return known;
    const [row] = await this.#sql`select id from org where name = ${name}`;
    if (row) this.#setOrg(row.id, name);
    return row?.id;
  }

  async queueId(org: number, name: string): Promise<number | undefined> {
    const known = this.#queueIds.get(`${org}/${name}`);
    if (known !== undefined) return known;
    const [row] = await this.#sql`select id from queue where org_id = ${org} and name = ${name}`;
    if (row) this.#setQueue(row.id, org, name);
    return row?.id;
  }

  async jobNameId(org: number, name: string): Promise<number | undefined> {
    const known = this.#nameFacts.get(`${org}/${name}`);
    if (known) return known.id;
    const [row] = await this.#sql`
      select id, counted from job_name where org_id = ${org} and name = ${name}`;
    if (row) this.#setName(row.id, org, name, row.counted);
    return row?.id;
  }

  async workerIdOf(uid: string): Promise<number | undefined> {
    for (const [id, worker] of this.#workers) if (worker.uid === uid) return id;
    const [row] = await this.#sql`select id, name from worker where uid = ${uid}::uuid`;
    if (row) this.setWorker(row.id, row.name, uid);
    return row?.id;
  }

  setWorker(id: number, name: string, uid: string): void {
    this.#workers.set(id, { name, uid });
  }

  // Making

  /** Queue ids by name; missing queues are made. Outside any transaction: a name harms nobody. */
  async internQueues(org: number, names: Iterable<string>): Promise<Map<string, number>> {
    const wanted = new Set(names);
    const missing = [...wanted].filter((n) => !this.#queueIds.has(`${org}/${n}`));
    if (missing.length > 0) {
      for (const q of await internQueues(this.#sql, org, textArray(missing.sort()))) {
        this.#setQueue(q.id, org, q.name);
      }
    }
    return new Map([...wanted].map((n) => [n, this.#queueIds.get(`${org}/${n}`)!]));
  }

  async internJobNames(org: number, names: Iterable<string>): Promise<Map<string, NameFacts>> {
    this.#forgetDaily();
    const wanted = new Set(names);
    const known = this.#nameFacts;
    const missing = [...wanted].filter((n) => !known.has(`${org}/${n}`));
    if (missing.length > 0) {
      for (const n of await internJobNames(this.#sql, org, textArray(missing.sort()))) {
        this.#setName(n.id, org, n.name, n.counted);
      }
    }
    const facts = (key: string) => known.get(key) ?? this.#nameFacts.get(key)!;
    return new Map([...wanted].map((n) => [n, facts(`${org}/${n}`)]));
  }

  /** Shape ids in the order of the inputs. `key` is canonical: equal keys are one shape. */
  async internShapes(inputs: (ShapeInput & { key: string })[]): Promise<number[]> {
    this.#forgetDaily();
    const known = this.#shapeIds;
    const missing = new Map<string, ShapeInput>();
    for (const s of inputs) if (!known.has(s.key)) missing.set(s.key, s);
    if (missing.size > 0) {
      const keys = [...missing.keys()];
      const rows = await internShapes(
        this.#sql,
        keys.map((key) => ({ hash: hashUuid(key), ...missing.get(key)! })),
      );
      const byHash = new Map(rows.map((r) => [r.hash, r]));
      for (const key of keys) {
        const row = byHash.get(hashUuid(key));
        if (!row) throw new Error(`shape ${key} was not interned`);
        this.#setShape(row);
        this.#shapeIds.set(key, row.id);
      }
    }
    return inputs.map((s) => known.get(s.key) ?? this.#shapeIds.get(s.key)!);
  }

  #forgetDaily(): void {
    if (performance.now() - this.#since < AGAIN_MS) return;
    this.#since = performance.now();
    // Anew, not emptied: whoever waits for the database has what it knew before.
    this.#nameFacts = new Map();
    this.#shapeIds = new Map();
  }

  #setOrg(id: number, name: string): void {
    this.#orgs.set(id, name);
    this.#orgIds.set(name, id);
  }
  #setQueue(id: number, org: number, name: string): void {
    this.#queues.set(id, { name, org });
    this.#queueIds.set(`${org}/${name}`, id);
  }
  #setName(id: number, org: number, name: string, counted: boolean): void {
    trim(this.#names);
    trim(this.#nameFacts);
    this.#names.set(id, name);
    if (this.#uncounted.size >= CACHE_MAX) this.#uncounted.clear();
    if (!counted) this.#uncounted.add(id);
    this.#nameFacts.set(`${org}/${name}`, { id, counted: counted ? id : 0 });
  }
  #setShape(s: {
    id: number;
    org_id: number;
    queue_id: number;
    kind: "exec" | "handler";
    name_id: number | null;
    requirements: ShapeFacts["requirements"];
  }): void {
    this.#shapes.set(s.id, {
      id: s.id,
      org: s.org_id,
      queue: s.queue_id,
      kind: s.kind,
      name: s.name_id,
      requirements: this.#shared(s.requirements),
    });
  }

  #shared(requirements: ShapeFacts["requirements"]): ShapeFacts["requirements"] {
    const text = JSON.stringify(requirements);
    const known = this.#requirements.get(text);
    if (known) return known;
    if (this.#requirements.size >= REQUIREMENTS_MAX) this.#requirements.clear();
    this.#requirements.set(text, requirements);
    return requirements;
  }
}

function lacking(ids: Iterable<number> | undefined, have: Map<number, unknown>): string {
  const out: number[] = [];
  for (const id of new Set(ids ?? [])) if (!have.has(id)) out.push(id);
  return out.length === 0 ? "" : plainArray(out);
}

function trim(map: Map<unknown, unknown>): void {
  if (map.size < CACHE_MAX) return;
  const oldest = map.keys().next();
  if (!oldest.done) map.delete(oldest.value);
}

/** The first 16 bytes of SHA-256 as a uuid: names a thing by its content. */
export function hashUuid(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}

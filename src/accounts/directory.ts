/**
 * All organizations, in memory: asked for in every request. A name that exists and one that does not
 * are looked up alike, so that no statement tells a stranger which is which.
 */
import type { Sql } from "../db/client.ts";

export interface Organization {
  id: number;
  name: string;
  /** For people; null shows the name. */
  title: string | null;
  isPublic: boolean;
  createdAt: Date;
}

export class Directory {
  readonly #sql: Sql;
  #byId = new Map<number, Organization>();
  #byName = new Map<string, Organization>();
  #open: readonly number[] = [];
  #wanted = 1;
  #reached = 0;
  #reading: Promise<void> | null = null;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** An organization was made or changed: whoever asks next waits for it. */
  expire(): void {
    this.#wanted += 1;
  }

  /** As of the last `expire` before the call. Whoever asks after a failure tries again. */
  async fresh(): Promise<void> {
    if (this.#reached >= this.#wanted) return;
    this.#reading ??= this.#catchUp().finally(() => {
      this.#reading = null;
    });
    await this.#reading;
  }

  async refresh(): Promise<void> {
    this.expire();
    await this.fresh();
  }

  /** One reading at a time: a slow one must not land after a later one. */
  async #catchUp(): Promise<void> {
    while (this.#reached < this.#wanted) {
      const aim = this.#wanted;
      await this.#read();
      this.#reached = aim;
    }
  }

  async #read(): Promise<void> {
    const rows = await this.#sql<
      { id: number; name: string; title: string | null; is_public: boolean; created_at: Date }[]
    >`select id, name, title, is_public, created_at from org order by id`;
    const all = rows.map(({ id, name, title, is_public, created_at }) => {
      return { id, name, title, isPublic: is_public, createdAt: created_at };
    });
    this.#byId = new Map(all.map((org) => [org.id, org]));
    this.#byName = new Map(all.map((org) => [org.name, org]));
    this.#open = all.filter((org) => org.isPublic).map((org) => org.id);
  }

  /** In the order in which they were made. */
  get all(): Iterable<Organization> {
    return this.#byId.values();
  }

  /** Ids of public organizations. */
  get open(): readonly number[] {
    return this.#open;
  }

  byId(id: number): Organization | undefined {
    return this.#byId.get(id);
  }

  byName(name: string): Organization | undefined {
    return this.#byName.get(name);
  }
}

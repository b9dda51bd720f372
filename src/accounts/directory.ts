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

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** Called once before anybody asks, and whenever an organization was made or changed. */
  async refresh(): Promise<void> {
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

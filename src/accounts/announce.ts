/**
 * Changes of who may what, told to every server at once by NOTIFY. They are rare, so the notice rides
 * in the changing transaction and leaves exactly at its commit.
 *
 * One connection of its own listens, and asks over the same wire several times a second whether it
 * still does. While it does not, everything remembered is dropped at every look: nothing remembered is
 * trusted for longer than a second, whatever happened to the network.
 */
import postgres from "postgres";
import type { Sql, Transaction } from "../db/client.ts";

const CHANNEL = "signalbox_access";
const LOOK_MS = 200;
const BEAT_MS = 400;
/** Later than this after a good answer began, the connection counts as lost. */
const TRUST_MS = 800;
/** A connection that says nothing for so long is given up for a new one. */
const GIVE_UP_MS = 3_000;

export type Change =
  | { orgs: true }
  | { person: string }
  | { token: string }
  | { worker_token: string }
  | { session: string };

/** "everything": changes may have been missed. */
export type ChangeListener = (change: Change | "everything") => void;

/** Inside the changing transaction; the notice leaves when it commits. */
export async function announce(tx: Sql | Transaction, change: Change): Promise<void> {
  await tx.unsafe("select pg_notify($1, $2)", [CHANNEL, JSON.stringify(change)]);
}

/** What changes something of people and organizations: where it writes, and whom it tells in this process. */
export interface Writer {
  sql: Sql;
  announcements: Pick<Announcements, "tell">;
}

/** One transaction, told everywhere: to other servers at its commit, in this process at once after it. */
export async function changing<T>(
  { sql, announcements }: Writer,
  change: Change,
  work: (tx: Transaction) => Promise<T>,
): Promise<T> {
  const result = await sql.begin(async (tx) => {
    const done = await work(tx);
    await announce(tx, change);
    return done;
  });
  announcements.tell(change);
  return result as T;
}

export interface AnnouncementsOptions {
  url: string;
  onTrouble(error: unknown): void;
}

/** What hears and passes on. Make it, add listeners, then start it. */
export class Announcements {
  readonly #options: AnnouncementsOptions;
  readonly #listeners = new Set<ChangeListener>();
  #connection: postgres.Sql | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  /** Begin of the last beat that was answered, and of the one under way. */
  #answeredAt = Number.NEGATIVE_INFINITY;
  #askedAt: number | null = null;
  #lost = true;
  #stopped = false;

  constructor(options: AnnouncementsOptions) {
    this.#options = options;
  }

  /** Listeners are called in the order in which they were added; one that throws stops no other. */
  on(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** For this process at once, after the commit; the notice comes round too, and does no harm. */
  tell(change: Change | "everything"): void {
    for (const listener of this.#listeners) {
      try {
        listener(change);
      } catch (error) {
        this.#options.onTrouble(error);
      }
    }
  }

  /** Whether a change that commits now would be heard at once. */
  get isLive(): boolean {
    return !this.#lost && performance.now() - this.#answeredAt <= TRUST_MS;
  }

  async start(): Promise<void> {
    await this.#beat();
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#connection?.end({ timeout: 1 }).catch(() => {});
  }

  #look(): void {
    const now = performance.now();
    if (!this.isLive) this.tell("everything");
    if (this.#askedAt !== null) {
      if (now - this.#askedAt > GIVE_UP_MS) this.#giveUp();
    } else if (this.#lost || now - this.#answeredAt >= BEAT_MS) void this.#beat();
  }

  /** To listen again is nothing where one listens already, and mends it where the connection is new. */
  async #beat(): Promise<void> {
    const asked = performance.now();
    this.#askedAt = asked;
    this.#connection ??= this.#connect();
    const connection = this.#connection;
    try {
      await connection.unsafe(`listen ${CHANNEL}`);
      if (this.#connection !== connection) return;
      const wasLost = !this.isLive;
      this.#lost = false;
      this.#answeredAt = asked;
      if (wasLost) this.tell("everything");
    } catch (error) {
      if (this.#connection === connection) this.#lost = true;
      if (!this.#stopped) this.#options.onTrouble(error);
    } finally {
      if (this.#askedAt === asked) this.#askedAt = null;
    }
  }

  #giveUp(): void {
    this.#lost = true;
    this.#askedAt = null;
    const silent = this.#connection;
    this.#connection = undefined;
    void silent?.end({ timeout: 0 }).catch(() => {});
  }

  #connect(): postgres.Sql {
    const connection: postgres.Sql = postgres(this.#options.url, {
      max: 1,
      // Asked for by nobody, see `db/client.ts`.
      fetch_types: false,
      idle_timeout: 0,
      max_lifetime: null,
      connect_timeout: 2,
      backoff: () => 0.1,
      onnotice: () => {},
      onclose: () => {
        if (this.#connection === connection) this.#lost = true;
      },
      connection: { application_name: "signalbox access" },
      // The driver passes this on, though its types do not name it.
      onnotify: (channel: string, text: string) => this.#heard(channel, text),
    } as postgres.Options<Record<string, never>>);
    return connection;
  }

  #heard(channel: string, text: string): void {
    if (channel !== CHANNEL) return;
    try {
      this.tell(JSON.parse(text) as Change);
    } catch (error) {
      this.#options.onTrouble(error);
      this.tell("everything");
    }
  }
}

/**
 * Connections to PostgreSQL. One driver, a pool for each kind of use, because they must not hurt each
 * other: out of one pool, 60 submissions of a job made everybody's next write wait 2.4 s instead of
 * 2 ms, and a heartbeat that waits so long costs a healthy worker its jobs. The engine's have their
 * plans pinned (engine rule 12); `reads` serves pages and API (statement_timeout 5 s).
 */
import postgres from "postgres";

export type Sql = postgres.Sql<Record<string, never>>;
export type Transaction = postgres.TransactionSql<Record<string, never>>;

export interface Database {
  readonly url: string;
  /** The two pipelines of jobs, a connection each: nobody else's work stands before a beat (engine rule 7). */
  readonly leases: Sql;
  readonly ends: Sql;
  /** Heartbeats, rescue and upkeep: short transactions, hand-written SQL only. */
  readonly beats: Sql;
  /** The beat of plain submissions: a bulk that is being written delays nobody's single job. */
  readonly arrivals: Sql;
  /** What callers ask to have written else: bulks, workflows, cancels. However much they ask at once. */
  readonly intake: Sql;
  /**
   * For what the engine asks while it already holds a connection of `beats` (interning, histories):
   * out of the same pool, as many callers as connections would wait for each other for ever.
   */
  readonly side: Sql;
  /** Reads for pages and API. Never writes. */
  readonly reads: Sql;
  /** Major version of the server, such as 18. */
  readonly serverVersion: number;
  close(): Promise<void>;
}

const common = {
  onnotice: () => {},
  connect_timeout: 10,
  // The driver would wait up to 20 s after an outage, each connection for itself: heartbeats would
  // wait while the rescuer, on a luckier connection, already takes the jobs of their workers.
  backoff: (retries: number) => Math.min(0.5, 0.05 * retries) * (0.75 + Math.random() / 2),
  // Ids are counted in bigint columns but stay far below 2^53.
  types: { bigint: { to: 20, from: [20], serialize: String, parse: Number } },
};

/** Opens both pools and reads the server's version. Throws where the server cannot be reached. */
export async function connect(url: string, options: { beats?: number; reads?: number } = {}) {
  const probe = postgres(url, { ...common, max: 1 });
  let serverVersion: number;
  try {
    const rows = await probe`select current_setting('server_version_num')::int as v`;
    serverVersion = Math.floor((rows[0]?.v as number) / 10_000);
  } finally {
    await probe.end({ timeout: 1 });
  }
  if (serverVersion < 15) {
    throw new Error(
      `PostgreSQL ${serverVersion} is too old: point DATABASE_URL at PostgreSQL 15 or later.`,
    );
  }
  const open = (own: postgres.Options<typeof common.types>) =>
    informed(postgres(url, { ...common, ...own, fetch_types: false }), probe);
  const pool = (max: number, own: Record<string, string> = {}) =>
    open({
      max,
      idle_timeout: 0,
      max_lifetime: null,
      keep_alive: 10,
      connection: { ...engineSettings(serverVersion), ...own },
    });
  const writers = {
    leases: pool(1),
    ends: pool(1),
    beats: pool(options.beats ?? 4),
    // Where another holds a receipt, everybody else's submissions do not wait for it.
    arrivals: pool(1, { lock_timeout: "200" }),
    intake: pool(4),
    // The feed reads phase events through BRIN, which only bitmap scans can use.
    side: pool(2, { enable_bitmapscan: "on" }),
  };
  const reads = open({
    max: options.reads ?? 6,
    keep_alive: 10,
    // Compiling a plan pays from far more rows on than a page may look at.
    connection: { application_name: "signalbox reads", statement_timeout: 5_000, jit: "off" },
  });
  const database: Database = {
    url,
    ...writers,
    reads,
    serverVersion,
    close: async () => {
      const all = [...Object.values(writers), reads];
      await Promise.all(all.map((sql) => sql.end({ timeout: 5 })));
    },
  };
  return database;
}

/** The part of the driver's options that it learns by asking the server for its array types. */
interface Learned {
  parsers: object;
  serializers: object;
  shared: { typeArrayMap: object };
}

/**
 * Gives a pool what the probe has learned of array types. Each connection would ask for them anew,
 * and nobody waits for that question: where the server goes away meanwhile, its error is an
 * unhandled rejection, which ends the process.
 */
function informed(pool: unknown, probe: unknown): Sql {
  const to = (pool as { options: Learned }).options;
  const from = (probe as { options: Learned }).options;
  Object.assign(to.parsers, from.parsers);
  Object.assign(to.serializers, from.serializers);
  Object.assign(to.shared.typeArrayMap, from.shared.typeArrayMap);
  return pool as Sql;
}

/**
 * Plans are pinned: generic plans made while tables were empty otherwise choose scans that cost
 * 282 ms for what an index does in 4 (engine rule 12). And they are made once: planned anew each
 * time, as PostgreSQL prefers for lists of one, a cascade down 3,000 jobs took 10.7 s instead of 2.1,
 * because the planner walks over the rows that died in it. Timeouts bound what a stuck peer can hold.
 *
 * What settings cannot pin is the order of a join: where statistics say that a table is empty (it was,
 * when vacuum last looked), reading an index of it whole seems free, and 5,000 rows later a beat takes
 * seconds. So hot statements join by `l.id = any(array[t.id])`, for which no plan but a probe of the
 * index for each `t` exists, sort by `t.id`, and fence with `lateral (… offset 0)` what must not move.
 */
function engineSettings(serverVersion: number): Record<string, string | number | boolean> {
  return {
    application_name: "signalbox engine",
    enable_hashjoin: "off",
    enable_mergejoin: "off",
    enable_seqscan: "off",
    enable_bitmapscan: "off",
    jit: "off",
    plan_cache_mode: "force_generic_plan",
    idle_in_transaction_session_timeout: 3_000,
    lock_timeout: 2_000,
    ...(serverVersion >= 17 ? { transaction_timeout: 15_000 } : {}),
    tcp_keepalives_idle: 10,
  };
}

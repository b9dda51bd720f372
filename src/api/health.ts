/** `/healthz`: the process lives. `/readyz`: it can do its work, or what stands against it. */
import { z } from "zod";
import type { Database, Sql } from "../db/client.ts";
import { checkMigrations } from "../db/migrate.ts";
import { tomorrowReady } from "../db/partitions.ts";

/** One condition of being ready. Resolves with null where it holds, else with what is wrong. */
export interface HealthCheck {
  name: string;
  check(): Promise<string | null>;
}

export const readiness = z
  .object({
    ready: z.boolean(),
    checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string().nullable() })),
  })
  .meta({ id: "Readiness" });

const CHECK_TIMEOUT_MS = 3_000;
/** Probes come from everywhere and need no token: they share one look. */
const SHARED_MS = 500;

export interface ReadinessDeps {
  database: Pick<Database, "reads">;
  /** Database time, milliseconds since the epoch. */
  now(): number;
  more: readonly HealthCheck[];
}

export function createReadiness({
  database,
  now,
  more,
}: ReadinessDeps): () => Promise<z.infer<typeof readiness>> {
  const sql = database.reads;
  const checks: readonly HealthCheck[] = [
    { name: "database", check: () => ping(sql) },
    { name: "migrations", check: () => migrations(sql) },
    { name: "partitions", check: () => partitions(sql, now()) },
    ...more,
  ];
  let latest: { at: number; result: Promise<z.infer<typeof readiness>> } | null = null;
  return () => {
    if (latest === null || performance.now() - latest.at > SHARED_MS) {
      latest = { at: performance.now(), result: look(checks) };
    }
    return latest.result;
  };
}

async function look(checks: readonly HealthCheck[]): Promise<z.infer<typeof readiness>> {
  const results = await Promise.all(
    checks.map(async ({ name, check }) => {
      const detail = await within(check(), CHECK_TIMEOUT_MS).catch((error: unknown) =>
        sentence(error),
      );
      return { name, ok: detail === null, detail };
    }),
  );
  return { ready: results.every((result) => result.ok), checks: results };
}

async function ping(sql: Sql): Promise<null> {
  await sql`select 1`;
  return null;
}

async function migrations(sql: Sql): Promise<string | null> {
  const found = await checkMigrations(sql);
  if (found.state === "current") return null;
  if (found.state === "ahead") return found.problem;
  return `The database lacks ${found.pending.length} migrations: run \`signalbox migrate\`.`;
}

async function partitions(sql: Sql, now: number): Promise<string | null> {
  return (await tomorrowReady(sql, now)) ? null : "Partitions for today or tomorrow are missing.";
}

/** Errors of the driver name hosts and users: only their code leaves the server. */
function sentence(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? `It failed with ${code}.` : "It did not answer in time.";
}

async function within<T>(promise: Promise<T>, ms: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error("too slow")), ms);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}

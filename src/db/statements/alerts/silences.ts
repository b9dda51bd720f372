/** Silences: made, ended, read by the evaluation. Times travel as epoch milliseconds. */
import type { SilenceMatch } from "../../../core/alerts/silence.ts";
import type { Sql, Transaction } from "../../client.ts";

const prepared = { prepare: true };
const AT = (n: number) => `to_timestamp($${n}::float8 / 1000)`;
const MS = (column: string, name: string) =>
  `round(extract(epoch from ${column}) * 1000)::float8 as "${name}"`;

export interface SilenceRow extends SilenceMatch {
  id: string;
  reason: string;
}

const READ = `select id, org_id as org, rule, job_name as "jobName", reason,
  ${MS("starts_at", "startsAt")}, ${MS("ends_at", "endsAt")} from silence`;

export async function readActiveSilences(
  sql: Sql | Transaction,
  now: number,
): Promise<SilenceRow[]> {
  const rows = await sql.unsafe(
    `${READ} where ends_at > ${AT(1)} and starts_at <= ${AT(1)} order by id limit 10000`,
    [now],
    prepared,
  );
  return rows as unknown as SilenceRow[];
}

export async function lockSilence(tx: Transaction, id: string): Promise<SilenceRow | null> {
  const [row] = await tx.unsafe(`${READ} where id = $1 for no key update`, [id], prepared);
  return (row as unknown as SilenceRow | undefined) ?? null;
}

export async function insertSilence(
  tx: Transaction,
  silence: SilenceRow & { by: string; at: number },
): Promise<void> {
  const { id, org, rule, jobName, startsAt, endsAt, reason, at, by } = silence;
  await tx.unsafe(
    `insert into silence (id, org_id, rule, job_name, starts_at, ends_at, reason, created_at, created_by)
     values ($1, $2, $3, $4, ${AT(5)}, ${AT(6)}, $7, ${AT(8)}, $9)`,
    [id, org, rule, jobName, startsAt, endsAt, reason, at, by],
    prepared,
  );
}

export async function endSilence(
  tx: Transaction,
  id: string,
  { at, by }: { at: number; by: string },
): Promise<void> {
  await tx.unsafe(
    `update silence set ends_at = greatest(${AT(2)}, least(starts_at, ends_at)), ended_by = $3 where id = $1`,
    [id, at, by],
    prepared,
  );
}

/** How often names are to run, as people have said: read with the row locked, written, forgotten. */
import type { Transaction } from "../../client.ts";

export interface ToldExpectation {
  interval_seconds: number;
  grace_seconds: number | null;
}

const prepared = { prepare: true };

/** Whoever changes the same name waits. */
export async function lockName(tx: Transaction, name: number): Promise<ToldExpectation | null> {
  await tx.unsafe("select 1 from job_name where id = $1 for no key update", [name], prepared);
  const [row] = await tx.unsafe(
    "select interval_seconds, grace_seconds from name_expectation where name_id = $1",
    [name],
    prepared,
  );
  return (row as unknown as ToldExpectation) ?? null;
}

export async function writeExpectation(
  tx: Transaction,
  of: { org: number; name: number; by: string },
  { interval_seconds, grace_seconds }: ToldExpectation,
): Promise<void> {
  await tx.unsafe(
    `insert into name_expectation (name_id, org_id, interval_seconds, grace_seconds, updated_by)
     values ($1, $2, $3, $4, $5)
     on conflict (name_id) do update set interval_seconds = excluded.interval_seconds,
       grace_seconds = excluded.grace_seconds, updated_at = now(), updated_by = excluded.updated_by`,
    [of.name, of.org, interval_seconds, grace_seconds, of.by],
    prepared,
  );
}

export async function removeExpectation(tx: Transaction, name: number): Promise<void> {
  await tx.unsafe("delete from name_expectation where name_id = $1", [name], prepared);
}

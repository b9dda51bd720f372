/** Beats and whether they committed (engine rule 9). */
import type { Sql } from "../client.ts";

/**
 * Whether the beat with this id committed. A look would not do: its COMMIT may still be on its way
 * in the server. So the id is claimed: that waits for whoever holds it, and where it succeeds the
 * beat can never commit any more.
 */
export async function beatLanded(sql: Sql, beat: string): Promise<boolean> {
  const claimed = await sql.unsafe(
    `insert into beat (id) values ($1) on conflict (id) do nothing returning id`,
    [beat],
    { prepare: true },
  );
  return claimed.length === 0;
}

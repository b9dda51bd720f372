/** Makes a database the demo's own, before its engine starts: or refuses to. */
import { Organizations } from "../accounts/organizations.ts";
import type { Author } from "../core/author.ts";
import type { Sql } from "../db/client.ts";
import { isUntouched, readDemoMark, writeDemoMark } from "../db/statements/past/demo_mark.ts";
import { ORGANIZATIONS } from "./cast/organizations.ts";
import { writeDemoPast } from "./past/demo_past.ts";

export class DemoRefused extends Error {
  override name = "DemoRefused";
}

const REFUSAL =
  "This database holds jobs of your own: the demo would mix with them. " +
  "Use another data folder: --data FOLDER";

const DEMO: Author = { name: "demo", user: null, token: null, address: null };

export interface PrepareOptions {
  seed: number;
  /** Database time, epoch milliseconds. */
  now: number;
  /** Told before what takes some seconds. */
  say(text: string): void;
}

/** Throws DemoRefused where somebody else's work is in the database. */
export async function prepareDemo(
  database: { url: string; intake: Sql; side: Sql },
  { seed, now, say }: PrepareOptions,
): Promise<void> {
  const { intake } = database;
  if (await readDemoMark(intake)) return;
  if (!(await isUntouched(intake))) throw new DemoRefused(REFUSAL);
  await writeDemoMark(intake, { seed });
  const organizations = new Organizations({ sql: intake, announcements: { tell: () => {} } });
  const ids = new Map<string, number>();
  for (const { name, title, isPublic } of ORGANIZATIONS) {
    ids.set(name, await organizations.create(name, { title, isPublic }, DEMO));
  }
  say("The demo writes a past of 30 days for itself …");
  await writeDemoPast(database, { seed, now, orgs: ids });
}

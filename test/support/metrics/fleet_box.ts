/** A board with a fleet of two organizations and of all, looked at for a day, and who may see what of it. */
import { type Browsing, somebody } from "../accounts/people.ts";
import { HandWorker } from "../api_box.ts";
import { type BoardBox, boardBox } from "../board_box.ts";
import { writeFleetHistory } from "./fleet_history.ts";

const HOUR = 3_600_000;

export interface FleetBox extends BoardBox {
  /** By organization: `default`, `acme`, and `shared` for null. */
  fleet: Record<"own" | "foreign" | "shared", HandWorker[]>;
  /** Of organization `default` alone. */
  member: Browsing;
  /** A day of whole hours that is over. */
  from: Date;
  to: Date;
  /** `from=…&to=…` */
  query: string;
  /** Everybody who looks: with the organizations whose rows they see as SQL, shared ones too. */
  lookers: { who: string; get(path: string): Promise<Response>; sees: string }[];
}

export async function fleetBox(workersEach = 2): Promise<FleetBox> {
  const box = await boardBox();
  const sql = box.database.intake;
  await sql`insert into org (name) values ('acme')`;
  await box.directory.refresh();
  const connect = async (org: string | null, kind: string) => {
    const made: HandWorker[] = [];
    for (let at = 0; at < workersEach; at += 1) {
      const hello = { name: `${kind}-${at}`, pool: `pool-${at % 2}`, concurrency: 2 + at };
      const more = { system: at === 0 ? "x86_64-linux" : "aarch64-darwin", handlers: ["mail"] };
      const worker = await HandWorker.connect(box.engine, { ...hello, ...more }, org);
      const metrics = { cpu_pct: 10 * at, ram_free_mb: 2_048, ram_total_mb: 8_192, disk_mbps: 5 };
      worker.session.handle({ type: "heartbeat", metrics });
      made.push(worker);
    }
    return made;
  };
  const fleet = {
    own: await connect("default", "own"),
    foreign: await connect("acme", "foreign"),
    shared: await connect(null, "shared"),
  };
  const workers = Object.values(fleet).flat();
  const to = new Date(Math.floor(Date.now() / HOUR) * HOUR - HOUR);
  const from = new Date(to.getTime() - 24 * HOUR);
  const history = { workers, from: from.getTime(), to: to.getTime(), everyMs: 900_000, seed: 4 };
  await writeFleetHistory(sql as never, history);
  // The first may be one that began before the samples were there.
  await box.engine.rollups.pass();
  await box.engine.rollups.pass();
  await sql`update rollup_progress set known_from = ${from}`;
  const member = await somebody(box, {
    roles: { [box.directory.byName("default")!.id]: "member" },
  });
  const query = `from=${from.toISOString()}&to=${to.toISOString()}`;
  const foreign = box.directory.byName("acme")!.id;
  return {
    ...{ ...box, fleet, member, from, to, query },
    lookers: [
      { who: "a superuser", get: (path) => box.get(path), sees: "true" },
      { who: "a member", get: member.get, sees: `org_id is distinct from ${foreign}` },
    ],
  };
}

/** The demo beside a running server: its workers, its work, its incidents. */
import { Client } from "../sdk/client.ts";
import { ORGANIZATIONS } from "./cast/organizations.ts";
import { FLEET } from "./cast/worker_role.ts";
import { Director } from "./director.ts";
import { makeIncidents } from "./incidents.ts";
import { DemoWorker } from "./play/demo_worker.ts";
import { makeSchedules } from "./schedules.ts";

export interface DemoOptions {
  /** Where the server listens, such as `http://127.0.0.1:4600`. */
  url: string;
  adminToken: string;
  seed: number;
  say(text: string): void;
}

export interface Demo {
  /** Sends nothing more; workers give back what they run. Within some seconds. */
  stop(): Promise<void>;
}

const TOKEN = "demo fleet";
const RELEASE_MS = 3_000;

export async function startDemo({ url, adminToken, seed, say }: DemoOptions): Promise<Demo> {
  const clients = new Map(
    ORGANIZATIONS.map(({ name: org }) => [org, new Client({ url, token: adminToken, org })]),
  );
  const tokens = await makeTokens(clients);
  const workers = FLEET.map(
    (role) => new DemoWorker(role, { url, seed, token: tokens.get(role.org)!, onLost: say }),
  );
  for (const worker of workers) worker.start();
  const incidents = makeIncidents({ workers, clients });
  const director = new Director({ seed, casts: ORGANIZATIONS, clients, incidents, say });
  director.start();
  await makeSchedules(clients);
  return {
    stop: async () => {
      director.stop();
      await Promise.all(workers.map((worker) => worker.stop(RELEASE_MS)));
    },
  };
}

/**
 * By organization, and of the shared fleet by null. Made anew at each start, and those of the start
 * before revoked: so no secret has to be kept.
 */
async function makeTokens(clients: ReadonlyMap<string, Client>) {
  const secrets = new Map<string | null, string>();
  const any = [...clients.values()][0]!;
  for (const [org, client] of [...clients, [null, any] as const]) {
    const shared = org === null;
    for (const { id, name, revoked_at } of await client.tokens.listForWorkers({ shared })) {
      if (name !== TOKEN || revoked_at !== null) continue;
      await client.tokens.revokeForWorkers(id, { shared, reason: "the demo was started again" });
    }
    const { secret } = await client.tokens.createForWorkers({ name: TOKEN }, { shared });
    if (secret === null) throw new Error("a worker token came without its secret");
    secrets.set(org, secret);
  }
  return secrets;
}

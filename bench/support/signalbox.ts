/** Our server and our worker as processes, for every bench. */
import { join } from "node:path";
import { Client } from "../../src/sdk/client.ts";
import { type Child, startChild } from "./child.ts";
import type { Cluster } from "./cluster.ts";
import { word } from "./options.ts";

export interface Signalbox {
  database: string;
  url: string;
  workerToken: string;
  adminToken: string;
  server: Child;
  client: Client;
  stop(): Promise<void>;
}

/** `--profile FOLDER` writes a profile of the server's processor time there when it stops. */
export async function startSignalbox(
  cluster: Cluster,
  name = "signalbox_bench",
): Promise<Signalbox> {
  const database = await cluster.createDatabase(name);
  const folder = word("profile");
  const flags = folder ? ["--cpu-prof", `--cpu-prof-dir=${folder}`] : [];
  const server = startChild("contestants/server.ts", { flags });
  const dataDir = join(cluster.folder, `data-of-${name}`);
  const started = await server.ask<Pick<Signalbox, "url" | "adminToken" | "workerToken">>("start", {
    databaseUrl: database,
    dataDir,
  });
  const client = new Client({ url: started.url, token: started.adminToken });
  return { database, ...started, server, client, stop: () => server.stop() };
}

export async function submitMany(client: Client, jobs: number, name: string): Promise<string[]> {
  const ids: string[] = [];
  for (let at = 0; at < jobs; at += 10_000) {
    const length = Math.min(10_000, jobs - at);
    const some = Array.from({ length }, () => ({ name, kind: "handler" as const, payload: {} }));
    ids.push(...(await client.submitMany(some)));
  }
  return ids;
}

/** What befalls workers, and what operators do: so that there are cancels, retries, drains and losses. */
import type { Client } from "../sdk/client.ts";
import type { Dice } from "./dice.ts";
import type { Incident } from "./director.ts";
import type { DemoWorker } from "./play/demo_worker.ts";

export interface Stage {
  workers: readonly DemoWorker[];
  clients: ReadonlyMap<string, Client>;
}

const CANCELS = ["superseded by a newer commit", "not needed any more", "wrong branch"];
const PAUSES: Record<string, string[]> = {
  tidewater: ["hardware", "board k7 is being rewired"],
  meridian: ["analysis", "the archive is full: making room"],
  "hazel-and-rye": ["mail", "the mail provider limits us"],
};
const PAUSED_MS = 20_000;

export function makeIncidents({ workers, clients }: Stage): Incident[] {
  const habit = (name: string) => workers.filter(({ role }) => role.habit === name);
  return [
    {
      ...{ name: "drop", firstSeconds: 25, everySeconds: 75 },
      run: (dice) => dice.pick(habit("drops")).drop(),
    },
    {
      ...{ name: "crash", firstSeconds: 40, everySeconds: 170 },
      run: (dice) => dice.pick(habit("crashes")).crash(),
    },
    {
      ...{ name: "drain", firstSeconds: 55, everySeconds: 110 },
      run: (dice, signal) => drainOne(habit("drains"), clients, dice, signal),
    },
    {
      ...{ name: "cancel", firstSeconds: 18, everySeconds: 50 },
      run: (dice, signal) => cancelOne(clients, dice, signal),
    },
    {
      ...{ name: "retry", firstSeconds: 35, everySeconds: 60 },
      run: (dice, signal) => retryOne(clients, dice, signal),
    },
    {
      ...{ name: "pause", firstSeconds: 70, everySeconds: 200 },
      run: (dice, signal) => pauseOne(clients, dice, signal),
    },
  ];
}

async function drainOne(
  workers: readonly DemoWorker[],
  clients: Stage["clients"],
  dice: Dice,
  signal: AbortSignal,
): Promise<void> {
  const { id, org } = dice.pick(workers).role;
  await clients.get(org!)?.drainWorker(id, { signal });
}

async function cancelOne(clients: Stage["clients"], dice: Dice, signal: AbortSignal) {
  const client = dice.pick([...clients.values()]);
  const state = dice.chance(0.5) ? ("running" as const) : ("ready" as const);
  const job = await oneOf(client, { state: [state] }, dice, signal);
  if (job) await client.cancel(job, { signal, reason: dice.pick(CANCELS) });
}

async function retryOne(clients: Stage["clients"], dice: Dice, signal: AbortSignal) {
  const client = dice.pick([...clients.values()]);
  const job = await oneOf(client, { state: ["failed", "cancelled"] }, dice, signal);
  if (job) await client.retry(job, { signal, reason: "looked into it: try again" });
}

async function pauseOne(clients: Stage["clients"], dice: Dice, signal: AbortSignal) {
  const client = dice.pick([...clients.values()]);
  const [queue, reason] = PAUSES[client.org] as [string, string];
  await client.pauseQueue(queue, { signal, reason });
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, PAUSED_MS);
    signal.addEventListener("abort", () => resolve(void clearTimeout(timer)), { once: true });
  });
  // Also at the end of the demo: whoever looks later would wonder. The server is still there.
  await client.resumeQueue(queue, { reason: "done" });
}

type Filter = Parameters<Client["jobsPage"]>[0];

async function oneOf(client: Client, filter: Filter, dice: Dice, signal: AbortSignal) {
  const { items } = await client.jobsPage(filter, { pageSize: 20, signal });
  return items.length > 0 ? dice.pick(items).id : undefined;
}

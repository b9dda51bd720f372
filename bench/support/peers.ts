/** The others in `throughput.ts`, each with the best of a few settings, tried beforehand. */
import { type Child, type ChildRuntime, hasNode, startChild } from "./child.ts";
import type { Cluster } from "./cluster.ts";
import type { Contestant } from "./contestant.ts";
import type { Redis } from "./redis.ts";

interface Variant {
  label: string;
  runtime: ChildRuntime;
  options: object;
  /** Slow variants are tried with fewer jobs. */
  share?: number;
}

interface Peer {
  name: string;
  script: string;
  /** Said to every command: where the data is. */
  place: object;
  variants: Variant[];
  /** Further processes whose time counts. */
  pids?: number[];
}

/** Whichever runtime suits it better. */
function onEach(variants: Omit<Variant, "runtime">[]): Variant[] {
  const runtimes: ChildRuntime[] = hasNode() ? ["node", "bun"] : ["bun"];
  return runtimes.flatMap((runtime) =>
    variants.map((v) => ({ ...v, runtime, label: `${v.label}, ${runtime}` })),
  );
}

/**
 * On Node, for which it is made, or on Bun, on which its authors do not test it: two contestants, because
 * Bun makes it half as fast again.
 */
export async function graphileWorker(cluster: Cluster, runtime: ChildRuntime): Promise<Peer> {
  const local = [
    { concurrency: 24, localQueue: 500 },
    { concurrency: 24, localQueue: 1_000 },
    { concurrency: 50, localQueue: 2_000 },
  ];
  return {
    name: `graphile-worker on ${runtime === "bun" ? "Bun" : "Node"}`,
    script: "contestants/graphile_worker.ts",
    place: { url: await cluster.createDatabase(`graphile_worker_${runtime}`) },
    variants: [
      ...[10, 24].map((concurrency) => ({
        label: `plain, concurrency ${concurrency}`,
        options: { concurrency },
        share: 0.1,
      })),
      ...local.map((options) => ({
        label: `local queue of ${options.localQueue}, concurrency ${options.concurrency}`,
        options,
      })),
    ].map((variant) => ({ ...variant, runtime })),
  };
}

export async function pgBoss(cluster: Cluster): Promise<Peer> {
  const settings = [
    { batch: 100, concurrency: 4 },
    { batch: 500, concurrency: 2 },
    { batch: 1_000, concurrency: 1 },
  ];
  return {
    name: "pg-boss",
    script: "contestants/pg_boss.ts",
    place: { url: await cluster.createDatabase("pg_boss_bench") },
    variants: onEach(
      settings.map((options) => ({
        label: `batches of ${options.batch}, concurrency ${options.concurrency}`,
        options,
      })),
    ),
  };
}

export function bullmq(redis: Redis): Peer {
  return {
    name: "BullMQ",
    script: "contestants/bullmq.ts",
    place: { port: redis.port },
    pids: [redis.pid],
    variants: onEach(
      [50, 200].map((concurrency) => ({
        label: `concurrency ${concurrency}`,
        options: { concurrency },
      })),
    ),
  };
}

/** Tries every variant once and returns the best, with its process running. */
export async function best(peer: Peer, jobs: number): Promise<Contestant> {
  const rates: { variant: Variant; rate: number }[] = [];
  // In two turns, of which the better counts: a machine that is busy elsewhere for a moment would choose.
  for (const variant of [...peer.variants, ...peer.variants]) {
    const contestant = await open(peer, variant);
    const some = Math.round(jobs * (variant.share ?? 1));
    try {
      // Twice: the first warms the runtime up.
      for (const tried of [Math.round(some / 4), some]) {
        await contestant.fill(tried);
        const rate = tried / ((await contestant.run(tried)) / 1000);
        if (tried === some) rates.push({ variant, rate });
      }
    } finally {
      await contestant.stop();
    }
    const tried = rates[rates.length - 1]!;
    console.log(`  ${peer.name}, ${variant.label}: ${Math.round(tried.rate)} jobs/s`);
  }
  rates.sort((a, b) => b.rate - a.rate);
  return await open(peer, rates[0]!.variant);
}

async function open(peer: Peer, variant: Variant): Promise<Contestant> {
  const child: Child = startChild(peer.script, { runtime: variant.runtime });
  const { place } = peer;
  if (peer.script.includes("bullmq") === false) await child.ask("prepare", place);
  return {
    name: `${peer.name} (${variant.label})`,
    fill: (jobs) => child.ask("fill", { ...place, jobs }),
    run: async (jobs) => {
      const { ms, ran } = await child.ask<{ ms: number; ran: number }>("run", {
        ...place,
        ...variant.options,
        jobs,
      });
      if (ran < jobs) throw new Error(`${peer.name} ran ${ran} of ${jobs} jobs`);
      return ms;
    },
    pids: () => [child.pid, ...(peer.pids ?? [])],
    stop: () => child.stop(),
  };
}

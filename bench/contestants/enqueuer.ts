/** Adds jobs at an even rate, whatever the answers take, and keeps when each was added. */
import { makeWorkerUtils } from "graphile-worker";
import { Client } from "../../src/sdk/client.ts";
import { answer } from "../support/answer.ts";
import { now } from "../support/clock.ts";

interface Pace {
  /** Jobs a second. */
  rate: number;
  jobs: number;
}

export interface Added {
  id: number;
  /** Epoch milliseconds, with fractions: just before the job was added. */
  at: number;
}

async function signalbox({ url, token, ...pace }: Pace & { url: string; token: string }) {
  const client = new Client({ url, token });
  return await keepPace(pace, (id) =>
    client.submit({ name: "mark", kind: "handler", payload: { id } }),
  );
}

interface Shares {
  url: string;
  token: string;
  /** Jobs of each, in turns; an organization may be named more than once. */
  orgs: string[];
  queues: string[];
  /** Handlers nap up to this long. */
  napMs: number;
  /** One in so many is for a pool that nobody has. */
  restEvery: number;
  /** Jobs a request: what one organization submits at once. */
  batch: number;
}

/** Resolves with when the last was answered, and the ids of those that rest. */
async function several({ url, token, orgs, queues, rate, jobs, batch, ...shares }: Pace & Shares) {
  const clients = orgs.map((org) => new Client({ url, token, org }));
  const resting: string[] = [];
  const restsAt = (n: number) => n % shares.restEvery === shares.restEvery - 1;
  const jobAt = (n: number) => {
    const queue = queues[n % queues.length]!;
    const payload = { ms: Math.random() * shares.napMs };
    const requirements = restsAt(n) ? { pool: "nobody" } : {};
    return { name: "nap", kind: "handler" as const, queue, payload, requirements };
  };
  await keepPace({ rate: rate / batch, jobs: jobs / batch }, async (request) => {
    const client = clients[request % clients.length]!;
    const numbers = Array.from({ length: batch }, (_, at) => request * batch + at);
    const ids = await client.submitMany(numbers.map(jobAt));
    resting.push(...ids.filter((_, at) => restsAt(numbers[at]!)));
  });
  return { resting, endedAt: now() };
}

async function graphileWorker({ url, ...pace }: Pace & { url: string }) {
  const utils = await makeWorkerUtils({ connectionString: url });
  try {
    return await keepPace(pace, (id) => utils.addJob("mark", { id }));
  } finally {
    await utils.release();
  }
}

/** The n-th job is due at n / rate, so that a slow answer delays no other job. */
async function keepPace({ rate, jobs }: Pace, add: (id: number) => Promise<unknown>) {
  const added: Added[] = [];
  const answers: Promise<unknown>[] = [];
  const began = now();
  for (let id = 0; id < jobs; id++) {
    const due = began + (id * 1000) / rate;
    while (now() < due) await new Promise((next) => setTimeout(next, Math.max(0, due - now())));
    added.push({ id, at: now() });
    answers.push(add(id));
  }
  await Promise.all(answers);
  return added;
}

answer({ signalbox, several, graphileWorker });

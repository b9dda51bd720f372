/** BullMQ on a Redis that appends to its file before it answers. */
import { Queue, Worker } from "bullmq";
import { answer } from "../support/answer.ts";

interface Run {
  port: number;
  concurrency: number;
  jobs: number;
}

const QUEUE = "noop";

async function fill({ port, jobs }: { port: number; jobs: number }) {
  const queue = new Queue(QUEUE, { connection: { host: "127.0.0.1", port } });
  for (let at = 0; at < jobs; at += 2_000) {
    const length = Math.min(2_000, jobs - at);
    await queue.addBulk(Array.from({ length }, () => ({ name: QUEUE, data: {} })));
  }
  await queue.close();
}

/** Milliseconds from the order until Redis counts every job as completed. */
async function run({ port, concurrency, jobs }: Run) {
  const connection = { host: "127.0.0.1", port };
  let seen = 0;
  let all: () => void = () => {};
  const ran = new Promise<void>((done) => {
    all = done;
  });
  const began = performance.now();
  const worker = new Worker(QUEUE, async () => {}, { connection, concurrency });
  worker.on("completed", () => {
    seen += 1;
    if (seen === jobs) all();
  });
  await ran;
  const ms = performance.now() - began;
  await worker.close();
  const queue = new Queue(QUEUE, { connection });
  await queue.obliterate({ force: true });
  await queue.close();
  return { ms, ran: seen };
}

answer({ fill, run });

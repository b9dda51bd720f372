/** An app with the SDK's worker in it: a real process on a real WebSocket. */
import { Worker } from "../../src/sdk/worker.ts";
import { answer } from "../support/answer.ts";

interface Run {
  url: string;
  token: string;
  slots: number;
  jobs: number;
}

/** Runs `jobs` jobs. Milliseconds from the order to the answer that the last end is on record. */
async function run({ url, token, slots, jobs }: Run) {
  let seen = 0;
  let all: () => void = () => {};
  const ran = new Promise<void>((done) => {
    all = done;
  });
  const noop = () => {
    seen += 1;
    if (seen === jobs) all();
  };
  const nap = () => new Promise((done) => setTimeout(done, 5)).then(noop);
  const began = performance.now();
  const worker = new Worker({ url, token, concurrency: slots, handlers: { noop, nap } });
  await worker.start();
  await ran;
  // A worker that drains leaves only when every end is on record.
  await worker.stop();
  return { ms: performance.now() - began, ran: seen };
}

answer({ run });

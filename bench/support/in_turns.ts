/** Work that may wait: done in order, a few milliseconds at a time, with sockets read in between. */
const SLICE_MS = 2;

const waiting: (() => void)[] = [];
let isRunning = false;

export function inTurns(work: () => void): void {
  waiting.push(work);
  if (isRunning) return;
  isRunning = true;
  setImmediate(run);
}

function run(): void {
  const began = performance.now();
  let at = 0;
  while (at < waiting.length && performance.now() - began < SLICE_MS) waiting[at++]!();
  waiting.splice(0, at);
  isRunning = waiting.length > 0;
  // A timer, not `setImmediate`: between two of those Bun may read no socket.
  if (isRunning) setTimeout(run, 0);
}

/** Many viewers in a process of their own: opened, cut, and compared with what the API answers. */
import { answer } from "../support/answer.ts";
import { isSampled } from "../support/sampled.ts";
import { Truth } from "../support/truth.ts";
import { LiveViewer, type ViewerKind } from "../support/viewer.ts";

/** Rows of ended jobs stay for seconds, and the last frames are on their way. */
const SETTLE_MS = 20_000;
const LOOK_MS = 500;
/** `retry: 1000` is what streams say; a browser adds some chance of its own. */
const RETRY_MS = 1_000;
const RETRY_CHANCE_MS = 500;

export interface Seen {
  shows: ViewerKind["shows"];
  awayMs: number;
  resyncs: number;
  bytes: number;
}

let viewers: LiveViewer[] = [];

/** Resolves once each has its first picture. */
async function open({ url, kinds }: { url: string; kinds: ViewerKind[] }) {
  const retryMs = () => RETRY_MS + Math.random() * RETRY_CHANCE_MS;
  viewers = kinds.map((kind) => {
    const sampled = (job: string) => isSampled(job) || job === kind.job;
    return new LiveViewer(url, kind, { isSampled: sampled, retryMs });
  });
  for (const viewer of viewers) viewer.open();
  while (!viewers.every((viewer) => viewer.isConnected)) await pause(20);
}

function cut() {
  for (const viewer of viewers) viewer.cut();
}

/** What is wrong with the pictures, a sentence for each viewer. Nothing may be under way any more. */
async function compare(asked: { url: string; token: string; orgs: string[]; since: string }) {
  const deadline = performance.now() + SETTLE_MS;
  for (;;) {
    const truth = new Truth(asked);
    const wrong: string[] = [];
    for (const viewer of viewers) {
      const what = await truth.against(viewer);
      if (what !== null) wrong.push(`${viewer.kind.path}: ${what}`);
    }
    if (wrong.length === 0 || performance.now() > deadline) return wrong;
    await pause(LOOK_MS);
  }
}

interface Commits {
  /** Epoch milliseconds of every commit, ascending, by job and state. */
  commits: Record<string, number[]>;
}

/** Milliseconds from commit to receipt, of what was committed while its viewer was connected. */
function waits({ commits }: Commits): Record<ViewerKind["shows"], number[]> {
  const found: Record<ViewerKind["shows"], number[]> = { table: [], job: [], phases: [] };
  for (const { kind, receipts } of viewers) {
    for (const { job, state, at, connected } of receipts) {
      const committed = commits[`${job} ${state}`]?.findLast((ms) => ms <= at);
      if (committed !== undefined && committed > connected) found[kind.shows].push(at - committed);
    }
  }
  return found;
}

/** Ends all, and tells what each went through. */
function close(): Seen[] {
  const seen = viewers.map((viewer) => {
    viewer.close();
    const { kind, awayMs, resyncs, bytes } = viewer;
    return { shows: kind.shows, awayMs, resyncs, bytes };
  });
  viewers = [];
  return seen;
}

function pause(ms: number): Promise<void> {
  return new Promise((next) => setTimeout(next, ms));
}

answer({ open, cut, compare, waits, close });

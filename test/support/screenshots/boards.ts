/** Three boards to look at: where nothing has happened yet, a busy one, and one that somebody fills with spite. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startCli } from "../../cli/run_cli.ts";
import { TOKEN } from "../api_box.ts";
import { boardBox } from "../board_box.ts";
import { eventually } from "../eventually.ts";
import { computed } from "../metrics/computed.ts";
import { hostileBoard } from "../pages/hostile_board.ts";

export interface ShownBoard {
  url: string;
  /** Of the admin. */
  token: string;
  close(): Promise<void>;
}

export const BOARDS = { empty, busy, hostile } as const;
export type BoardName = keyof typeof BOARDS;

/** The demo is looked at when it has lived for so long. */
const LIVED_MS = 60_000;

async function empty(): Promise<ShownBoard> {
  const box = await boardBox({ alone: true });
  return { url: await box.serve(), token: TOKEN, close: () => box.close() };
}

async function hostile(): Promise<ShownBoard> {
  const box = await boardBox({ alone: true });
  const url = await box.serve();
  const { worker } = await hostileBoard(box);
  await computed(box.engine.rollups, box.database.intake);
  const heart = setInterval(() => worker.session.handle({ type: "heartbeat" }), 5_000);
  const close = async () => {
    clearInterval(heart);
    await box.close();
  };
  return { url, token: TOKEN, close };
}

async function busy(): Promise<ShownBoard> {
  const folder = mkdtempSync(join(tmpdir(), "signalbox-screenshots-"));
  const data = join(folder, "data");
  const demo = startCli(["up", "--demo", "--port", "0", "--data", data], { cwd: folder });
  const ready = () => {
    if (demo.child.exitCode !== null) throw new Error(demo.stderr());
    return /Ctrl-C/.test(demo.stdout());
  };
  await eventually(ready, "the demo is ready", { deadlineMs: 180_000 });
  await new Promise((resume) => setTimeout(resume, LIVED_MS));
  const { url, token } = JSON.parse(readFileSync(join(data, "client.json"), "utf8"));
  const close = async () => {
    demo.child.kill("SIGTERM");
    await eventually(() => demo.child.exitCode !== null, "it stops", { deadlineMs: 60_000 });
    rmSync(folder, { recursive: true, force: true });
  };
  return { url, token, close };
}

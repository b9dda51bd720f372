/** Jobs of every state, as an installation at work has them, and some that somebody wrote to see what happens. */

import { JOBS, V1 } from "../../support/api_box.ts";
import type { BoardBox } from "../../support/board_box.ts";

export async function submit(box: Pick<BoardBox, "call">, body: object): Promise<string> {
  const { status, json, text } = await box.call("POST", JOBS, { kind: "handler", ...body });
  if (status !== 201) throw new Error(`${status} ${text}`);
  return json.id;
}

export async function seedBusy(box: Pick<BoardBox, "call" | "worker" | "reaches">): Promise<void> {
  const worker = await box.worker({
    name: "builder-7",
    pool: "default",
    handlers: ["build/web", "build/api", "resize"],
  });
  const names = ["build/web", "build/api", "resize"];
  const run = async (at: number) => {
    const tags = { branch: at % 2 ? "main" : "release/2026-11", team: "platform" };
    const id = await submit(box, {
      name: names[at % 3],
      queue: at % 2 ? "ci" : "images",
      tags,
      max_attempts: 1,
      priority: at,
    });
    const lease = await worker.take(id);
    worker.start(lease);
    if (at % 4 === 3) return;
    const failed = {
      outcome: "failed",
      exit_code: 1,
      error: `no space left on device (disk ${at})`,
    } as const;
    worker.end(lease, at % 4 === 0 ? failed : {});
    await box.reaches(id, at % 4 === 0 ? "failed" : "succeeded");
  };
  for (let at = 0; at < 12; at += 1) await run(at);
  const waiting = { name: "deploy", queue: "ci", run_at: "2999-01-01T00:00:00Z" };
  for (let at = 0; at < 4; at += 1) await submit(box, waiting);
  const gone = await submit(box, waiting);
  await box.call("POST", `${V1}/jobs/${gone}/cancel`, { reason: "not needed" });
}

export async function seedHostile(
  box: Pick<BoardBox, "call" | "worker" | "reaches">,
): Promise<void> {
  const name = "n".repeat(128);
  const worker = await box.worker({ name: `<b>${"w".repeat(60)}`, handlers: [name] });
  const long = "x".repeat(200);
  const tags = {
    "<script>alert(1)</script>": `"><img src=x onerror=alert(2)>${long}`,
    "\u202Ekey": "نועה",
    a: "1",
    b: "2",
    c: "3",
    d: "4",
  };
  const id = await submit(box, {
    name,
    queue: "q".repeat(63),
    tags,
    payload: { text: 'say "hi" 100% <script>' },
  });
  const lease = await worker.take(id);
  worker.start(lease);
  worker.end(lease, { outcome: "failed", error: `<script>alert(3)</script>\u202E${long}${long}` });
  await box.reaches(id, "failed");
}

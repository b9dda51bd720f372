/**
 * Stands in for `signalbox worker`: takes the real lock, notes each start in `starts`, and behaves
 * as its first argument says. The second is its folder.
 */
import { appendFileSync, existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { openDataFolder } from "../../../src/worker/data_folder.ts";

const [how, folder] = process.argv.slice(2) as [string, string];
const handoff = process.env.SIGNALBOX_WORKER_HANDOFF as string;
const note = {
  pid: process.pid,
  token: readFileSync(handoff, "utf8"),
  env: process.env,
  args: process.argv,
};
rmSync(handoff);
const data = openDataFolder(folder);
appendFileSync(join(folder, "starts"), `${JSON.stringify(note)}\n`);

if (how === "crash") {
  console.error("I cannot live");
  process.exit(3);
}
if (how === "drained") {
  data.release();
  process.exit(0);
}
let asked = 0;
process.on("SIGTERM", () => {
  asked++;
  appendFileSync(join(folder, "asked"), `${asked}\n`);
  // What runs goes on until a second signal, or until somebody says that it is done.
  if (how === "busy" && asked < 2 && !existsSync(join(folder, "idle"))) return;
  if (how === "deaf") return;
  data.release();
  process.exit(0);
});
setInterval(() => {}, 1_000);

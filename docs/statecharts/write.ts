/** Writes `docs/statecharts.md` and its pictures anew: `bun docs/statecharts/write.ts`. */
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { statechartFiles } from "./page.ts";

const docs = fileURLToPath(new URL("..", import.meta.url));
mkdirSync(`${docs}/statecharts`, { recursive: true });
for (const [path, text] of Object.entries(statechartFiles())) {
  writeFileSync(`${docs}/${path}`, text);
}

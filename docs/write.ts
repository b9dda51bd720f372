/** Writes anew the pages and pictures that are made from the code: `bun docs/write.ts`. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { runbookFiles } from "./runbooks/pages.ts";
import { schedulingFiles } from "./scheduling/page.ts";
import { statechartFiles } from "./statecharts/page.ts";

const docs = fileURLToPath(new URL(".", import.meta.url));
const files = { ...statechartFiles(), ...schedulingFiles(), ...runbookFiles() };
for (const [path, text] of Object.entries(files)) {
  mkdirSync(dirname(docs + path), { recursive: true });
  writeFileSync(docs + path, text);
}

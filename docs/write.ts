/** Writes anew the pages and pictures that are made from the code: `bun docs/write.ts`. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { schedulingFiles } from "./scheduling/page.ts";
import { statechartFiles } from "./statecharts/page.ts";

const docs = fileURLToPath(new URL(".", import.meta.url));
for (const [path, text] of Object.entries({ ...statechartFiles(), ...schedulingFiles() })) {
  mkdirSync(dirname(docs + path), { recursive: true });
  writeFileSync(docs + path, text);
}

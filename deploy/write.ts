/** Writes anew what is made from the code: `bun run deploy:generate`. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { deployFiles } from "./files.ts";

const deploy = fileURLToPath(new URL(".", import.meta.url));
for (const [path, text] of Object.entries(deployFiles())) {
  mkdirSync(dirname(deploy + path), { recursive: true });
  writeFileSync(deploy + path, text);
}

/** `client.json`: what lets the other commands find the server that `up` has started. */
import { chmodSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { CLIENT_FILE, type ClientFile } from "../settings.ts";

/** Written beside and renamed, so that nobody ever reads half of it; 0600, for it holds a token. */
export function writeClientFile(dataDir: string, content: ClientFile): string {
  const path = join(dataDir, CLIENT_FILE);
  const draft = `${path}.${process.pid}`;
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  writeFileSync(draft, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  chmodSync(draft, 0o600);
  renameSync(draft, path);
  return path;
}

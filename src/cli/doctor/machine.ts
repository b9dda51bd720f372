/** What the doctor sees without asking a server: runtime, settings, data folder. */
import { accessSync, constants, readdirSync, statfsSync, statSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { type Config, ConfigError, parseConfig } from "../../config.ts";
import type { Context } from "../context.ts";
import { printBytes } from "../print/time.ts";
import { CLIENT_FILE, codeOf } from "../settings.ts";
import { type Finding, fail, ok, warn } from "./check.ts";

/** Below, PostgreSQL may stop in the middle of a write. */
const DISK_FAIL_BYTES = 200 * 1024 * 1024;
const DISK_WARN_BYTES = 2 * 1024 * 1024 * 1024;

export function checkRuntime(context: Pick<Context, "runtime">): Finding {
  const { name, version } = context.runtime;
  const least = { bun: "1.3.0", deno: "2.4.0" }[name];
  const words = `${name === "bun" ? "Bun" : "Deno"} ${version} on ${process.platform} ${process.arch}`;
  if (isOlder(version, least)) {
    return fail(
      "runtime",
      `${words} is too old.`,
      `Install ${least} or later; \`npm start\` does.`,
    );
  }
  return ok("runtime", `${words}.`);
}

export function isOlder(version: string, least: string): boolean {
  const numbers = (text: string) =>
    text.split(/[.-]/).map((part) => Number.parseInt(part, 10) || 0);
  const [a, b] = [numbers(version), numbers(least)];
  for (let at = 0; at < 3; at++) {
    if ((a[at] ?? 0) !== (b[at] ?? 0)) return (a[at] ?? 0) < (b[at] ?? 0);
  }
  return false;
}

/** The settings where they are right; a finding in any case. */
export function checkSettings(context: Pick<Context, "env">): {
  config?: Config;
  finding: Finding;
} {
  try {
    const config = parseConfig(context.env);
    const database = config.databaseUrl ? "the database of DATABASE_URL" : "a database of its own";
    return { config, finding: ok("settings", `All can be used; the server takes ${database}.`) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const mend = "Correct or unset them; docs/configuration.md tells each.";
    return { finding: fail("settings", error.problems.join(" "), mend) };
  }
}

export function checkDataFolder(folder: string): Finding {
  const name = "data folder";
  let mode: number;
  try {
    const facts = statSync(folder);
    mode = facts.mode & 0o777;
    if (!facts.isDirectory()) {
      return fail(name, `${folder} is no folder.`, "Set SIGNALBOX_DATA to a folder.");
    }
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    if (codeOf(error) === "ENOENT") {
      return ok(name, `${folder} is not there yet; the first start makes it.`);
    }
    const mend = "Use the account that owns it, or set SIGNALBOX_DATA to another folder.";
    return fail(name, `${folder} cannot be used (${codeOf(error)}).`, mend);
  }
  // The database's own user may need to pass through (0710); nobody needs more than that.
  if ((mode & 0o067) !== 0) {
    const words = `${folder} is open to other users (mode ${mode.toString(8)}).`;
    return fail(name, words, `Close it: chmod 700 ${folder}`);
  }
  return checkSecrets(folder) ?? checkSpace(folder);
}

function checkSecrets(folder: string): Finding | undefined {
  const files = [CLIENT_FILE, "database.json"].map((file) => join(folder, file));
  try {
    files.push(
      ...readdirSync(join(folder, "secrets")).map((file) => join(folder, "secrets", file)),
    );
  } catch {
    // None were made.
  }
  for (const file of files) {
    const mode = statSync(file, { throwIfNoEntry: false })?.mode ?? 0;
    if ((mode & 0o077) === 0) continue;
    const words = `${file} holds a secret that other users can read.`;
    return fail("data folder", words, `Close it: chmod 600 ${file}`);
  }
  return undefined;
}

function checkSpace(folder: string): Finding {
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  const words = `${folder} can be used; ${printBytes(free)} of disk are free.`;
  const mend = "Make room, or move SIGNALBOX_DATA to a larger disk.";
  if (free < DISK_FAIL_BYTES) return fail("data folder", words, mend);
  if (free < DISK_WARN_BYTES) return warn("data folder", words, mend);
  return ok("data folder", words);
}

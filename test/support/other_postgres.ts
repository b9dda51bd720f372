/**
 * Runs tests on another PostgreSQL than the embedded one, such as Debian's 15:
 *
 *     bun test/support/other_postgres.ts /usr/lib/postgresql/15/bin [part of a path …]
 *
 * Starts a server from that folder in a temporary place, runs the chosen test files (those that
 * speak SQL, where none is named) on it, and removes it.
 */
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { type Account, databaseAccount, isRoot } from "../../src/db/embedded/account.ts";
import { freePort } from "../../src/db/embedded/free_port.ts";
import { runtimeCommand } from "./script.ts";

const RUN = fileURLToPath(new URL("../run.ts", import.meta.url));
const ABOUT_SQL = ["test/db/migrate", "test/db/partitions", "test/db/schema", "test/db/statements"];
const PASSWORD = "only-for-this-run";

const [binaries, ...words] = process.argv.slice(2);
if (!binaries) throw new Error("Name the folder of initdb and pg_ctl.");
const account = isRoot() ? await databaseAccount(console.error) : undefined;
const folder = mkdtempSync(join(tmpdir(), "signalbox-other-"));
const data = join(folder, "data");
try {
  const url = await startServer(binaries, account);
  process.exitCode = await runTests(url);
} finally {
  runAs(join(binaries, "pg_ctl"), ["-D", data, "-m", "immediate", "-w", "stop"], account);
  rmSync(folder, { recursive: true, force: true });
}

async function startServer(from: string, user: Account | undefined): Promise<string> {
  const passwordFile = join(folder, "password");
  writeFileSync(passwordFile, PASSWORD);
  chmodSync(folder, 0o700);
  if (user) for (const path of [folder, passwordFile]) chownSync(path, user.uid, user.gid);
  const port = await freePort(0);
  const initdb = ["-D", data, "-U", "admin", `--pwfile=${passwordFile}`, "-A", "scram-sha-256"];
  runAs(join(from, "initdb"), [...initdb, "--locale=C", "-E", "UTF8"], user);
  const settings = `-p ${port} -c unix_socket_directories= -c fsync=off -c max_connections=400`;
  const log = join(folder, "log");
  runAs(join(from, "pg_ctl"), ["-D", data, "-o", settings, "-l", log, "-w", "start"], user);
  return `postgres://admin:${PASSWORD}@127.0.0.1:${port}/postgres`;
}

function runAs(command: string, parameters: string[], user: Account | undefined): void {
  const who = user ? { uid: user.uid, gid: user.gid } : {};
  execFileSync(command, parameters, { cwd: "/", stdio: ["ignore", "ignore", "inherit"], ...who });
}

function runTests(url: string): Promise<number> {
  const { command, flags } = runtimeCommand();
  const chosen = words.length > 0 ? words : ABOUT_SQL;
  const child = spawn(command, [...flags, RUN, ...chosen], {
    stdio: "inherit",
    env: { ...process.env, TEST_DATABASE_SERVER: url },
  });
  return new Promise((resolve) => child.on("close", (code) => resolve(code ?? 1)));
}

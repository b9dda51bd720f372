/** Which operating system user PostgreSQL runs as, and what that user can reach. */
import { execFile } from "node:child_process";
import { realpath, stat } from "node:fs/promises";
import { dirname } from "node:path";
import process from "node:process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Made where root has no `postgres` user. */
const OWN_USER = "signalbox-db";

export interface Account {
  name: string;
  uid: number;
  gid: number;
}

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/**
 * PostgreSQL refuses to run as root. Root therefore lends it an unprivileged user: `postgres` where
 * the machine has one, else one made for this. `nobody` comes last, because jobs may run as nobody
 * too, and whoever shares the user can read the database's files.
 */
export async function databaseAccount(warn: (text: string) => void): Promise<Account> {
  for (const name of ["postgres", OWN_USER]) {
    const account = await lookUp(name);
    if (account) return account;
  }
  const made = await createAccount();
  if (made) return made;
  const nobody = await lookUp("nobody");
  if (nobody) {
    warn("PostgreSQL runs as nobody: no user of its own could be made for it.");
    return nobody;
  }
  throw new Error(
    "PostgreSQL cannot run as root and no other user was found: " +
      "start Signalbox as an ordinary user, or make a user called postgres.",
  );
}

async function lookUp(name: string): Promise<Account | undefined> {
  try {
    const [uid, gid] = await Promise.all(
      ["-u", "-g"].map(async (flag) => Number((await run("id", [flag, name])).stdout.trim())),
    );
    return uid && gid ? { name, uid, gid } : undefined;
  } catch {
    return undefined;
  }
}

/** Debian and Fedora have `useradd`, Alpine has `adduser`; whoever started second finds the user. */
async function createAccount(): Promise<Account | undefined> {
  const commands: [string, string[]][] = [
    [
      "useradd",
      ["--system", "--user-group", "--no-create-home", "--shell", "/bin/false", OWN_USER],
    ],
    ["adduser", ["-S", "-D", "-H", "-s", "/bin/false", OWN_USER]],
  ];
  for (const [command, parameters] of commands) {
    await run(command, parameters).catch(() => {});
    const account = await lookUp(OWN_USER);
    if (account) return account;
  }
  return undefined;
}

/** Whether `account` may enter every folder above `path` and `path` itself. */
export async function canReach(account: Account, path: string): Promise<boolean> {
  let current = await realpath(path);
  for (;;) {
    const facts = await stat(current);
    if (!mayEnter(account, facts)) return false;
    const parent = dirname(current);
    if (parent === current) return true;
    current = parent;
  }
}

function mayEnter(account: Account, facts: { mode: number; uid: number; gid: number }): boolean {
  if (facts.uid === account.uid) return (facts.mode & 0o100) !== 0;
  if (facts.gid === account.gid) return (facts.mode & 0o010) !== 0;
  return (facts.mode & 0o001) !== 0;
}

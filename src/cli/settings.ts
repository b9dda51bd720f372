/**
 * Where the server is and who asks. In this order: flags, SIGNALBOX_URL / SIGNALBOX_TOKEN /
 * SIGNALBOX_ORG, then the `client.json` that `signalbox up` leaves in its data folder
 * (SIGNALBOX_DATA, or `.signalbox` here or in a folder above).
 *
 * A token is only ever sent to the server it belongs to: one from `client.json` is not used for
 * an address that came from somewhere else.
 */
import { readFileSync, statSync } from "node:fs";
import { userInfo } from "node:os";
import { dirname, join, resolve } from "node:path";
import { z } from "zod";
import { CliError, UsageError } from "./errors.ts";
import { orgName } from "./values.ts";

export const CLIENT_FILE = "client.json";
export const DATA_FOLDER = ".signalbox";

const clientFile = z.object({ url: z.url(), token: z.string().min(1), org: orgName });
export type ClientFile = z.infer<typeof clientFile>;

export interface SettingFlags {
  url?: string;
  org?: string;
  tokenFile?: string;
}

export interface ClientSettings {
  url: string;
  token: string;
  org: string;
  /** For messages: where url and token came from. */
  source: { url: string; token: string };
}

type Env = Readonly<Record<string, string | undefined>>;

/** Throws UsageError, with what to set, where an address or a token is missing. */
export function findSettings(flags: SettingFlags, env: Env, cwd: string): ClientSettings {
  const found = lookUpClientFile(env, cwd);
  const url = flags.url ?? nonEmpty(env.SIGNALBOX_URL) ?? found?.content.url;
  if (url === undefined) {
    throw new UsageError(
      "No server is known here. Start one with `signalbox up`, or set SIGNALBOX_URL and SIGNALBOX_TOKEN.",
    );
  }
  const org = flags.org ?? nonEmpty(env.SIGNALBOX_ORG) ?? found?.content.org ?? "default";
  if (!orgName.safeParse(org).success) {
    throw new UsageError(`"${org}" is no organization: use 1 to 63 of a-z, 0-9 and -.`);
  }
  const { token, from } = findToken(flags, env, url, found);
  const urlFrom = flags.url ? "--url" : nonEmpty(env.SIGNALBOX_URL) ? "SIGNALBOX_URL" : found?.path;
  return { url, token, org, source: { url: urlFrom as string, token: from } };
}

interface FoundFile {
  path: string;
  content: ClientFile;
}

function findToken(
  flags: SettingFlags,
  env: Env,
  url: string,
  found: FoundFile | undefined,
): { token: string; from: string } {
  if (flags.tokenFile !== undefined) {
    return { token: readTokenFile(flags.tokenFile), from: flags.tokenFile };
  }
  const fromEnv = nonEmpty(env.SIGNALBOX_TOKEN);
  if (fromEnv !== undefined) return { token: fromEnv, from: "SIGNALBOX_TOKEN" };
  if (found && sameServer(found.content.url, url)) {
    return { token: found.content.token, from: found.path };
  }
  const other = found ? ` The token in ${found.path} belongs to ${found.content.url}.` : "";
  throw new UsageError(
    `No token for ${url}: set SIGNALBOX_TOKEN or give --token-file FILE.${other}`,
  );
}

/** The first line of the file, without white space around it. */
export function readTokenFile(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(`The token file ${path} cannot be read (${codeOf(error)}).`, error);
  }
  const token = text.split("\n")[0]?.trim() ?? "";
  if (token === "") throw new UsageError(`The token file ${path} is empty.`);
  return token;
}

/** The nearest `client.json`, or undefined. Throws where there is one that cannot be trusted. */
export function lookUpClientFile(env: Env, cwd: string): FoundFile | undefined {
  const named = nonEmpty(env.SIGNALBOX_DATA);
  if (named !== undefined) return readClientFile(join(resolve(cwd, named), CLIENT_FILE), false);
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    const found = readClientFile(join(folder, DATA_FOLDER, CLIENT_FILE), true);
    if (found !== undefined || dirname(folder) === folder) return found;
  }
}

/**
 * A file found by walking up could be anybody's trap: in a shared folder such as /tmp another
 * user could lead our jobs, and what they carry, to a server of theirs. So it must be our own or
 * root's, unless SIGNALBOX_DATA names it.
 */
function readClientFile(path: string, mustBeOurs: boolean): FoundFile | undefined {
  let text: string;
  try {
    const owner = statSync(path).uid;
    const us = userInfo().uid;
    if (mustBeOurs && owner !== us && owner !== 0 && us >= 0) {
      throw new CliError(
        `${path} belongs to another user. Set SIGNALBOX_DATA=${dirname(path)} if you trust it.`,
      );
    }
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof CliError) throw error;
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return undefined;
    throw new CliError(
      `${path} cannot be read (${codeOf(error)}): use the account that runs \`signalbox up\`, or set SIGNALBOX_URL and SIGNALBOX_TOKEN.`,
      1,
      error,
    );
  }
  return { path, content: parseClientFile(text, path) };
}

function parseClientFile(text: string, path: string): ClientFile {
  try {
    return clientFile.parse(JSON.parse(text));
  } catch (error) {
    throw new CliError(`${path} is damaged: remove it and start \`signalbox up\` again.`, 1, error);
  }
}

function sameServer(a: string, b: string): boolean {
  const bare = (text: string) => text.replace(/\/+$/, "");
  try {
    return bare(new URL(a).href) === bare(new URL(b).href);
  } catch {
    return false;
  }
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === undefined || value.trim() === "" ? undefined : value.trim();
}

export function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException)?.code ?? String(error);
}

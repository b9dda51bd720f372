/**
 * The tokens of a server: from the environment, else made at the first start and kept in the data
 * folder, a file each, readable only by its owner.
 */
import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../config.ts";
import { CliError } from "./errors.ts";
import { codeOf } from "./settings.ts";

export type CompleteConfig = Config & {
  adminToken: string;
  workerToken: string;
  metricsToken: string;
};

const TOKENS = {
  adminToken: "admin_token",
  workerToken: "worker_token",
  metricsToken: "metrics_token",
} as const;

/** The config with every token in place. Throws CliError where the folder cannot be written. */
export function keepSecrets(config: Config): CompleteConfig {
  const tokens = Object.entries(TOKENS).map(([field, file]) => [
    field,
    config[field as keyof typeof TOKENS] ?? keptToken(config.dataDir, file),
  ]);
  return Object.freeze({ ...config, ...Object.fromEntries(tokens) });
}

export function secretPath(dataDir: string, file: string): string {
  return join(dataDir, "secrets", file);
}

function keptToken(dataDir: string, file: string): string {
  const path = secretPath(dataDir, file);
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    mkdirSync(join(dataDir, "secrets"), { recursive: true, mode: 0o700 });
    // Exclusively: where two servers start on one folder, both use what the first has written.
    writeFileSync(path, `${randomBytes(32).toString("base64url")}\n`, { mode: 0o600, flag: "wx" });
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw unusable(dataDir, error);
  }
  return readKept(path);
}

function readKept(path: string): string {
  try {
    const token = readFileSync(path, "utf8").trim();
    if (token.length >= 32) return token;
  } catch (error) {
    throw unusable(path, error);
  }
  // Only a start that was killed between making and writing the file leaves it empty.
  writeFileSync(path, `${randomBytes(32).toString("base64url")}\n`, { mode: 0o600 });
  chmodSync(path, 0o600);
  return readFileSync(path, "utf8").trim();
}

function unusable(path: string, error: unknown): CliError {
  return new CliError(
    `${path} cannot be used (${codeOf(error)}): start Signalbox as the user who owns it, or set SIGNALBOX_DATA to another folder.`,
    1,
    error,
  );
}

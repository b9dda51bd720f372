/**
 * The server's settings: read from the environment once, checked, frozen. Every bad value is told at
 * once, with what to write instead. `docs/configuration.md` lists them for people, and a test
 * proves that the page and this file agree.
 */
import { join, resolve } from "node:path";
import { z } from "zod";

export type Environment = Readonly<Record<string, string | undefined>>;

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export const LOG_FORMATS = ["auto", "json", "pretty"] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

/** Says every bad value, one a line. The message holds no value of a secret. */
export class ConfigError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.name = "ConfigError";
    this.problems = problems;
  }
}

/** What to write where a value is wrong, after "write …". Secrets are never repeated in messages. */
const advice = z.registry<{ write: string; secret?: boolean }>();

function wholeNumber(low: number, high: number) {
  const digits = z.string().regex(/^\d{1,9}$/);
  return digits.transform(Number).refine((n) => n >= low && n <= high);
}

function count(standard: number, low: number, high: number, unit: string) {
  const write = `a whole number of ${unit} from ${low} to ${high}, such as ${standard}`;
  return wholeNumber(low, high).prefault(String(standard)).register(advice, { write });
}

function days(standard: number) {
  return count(standard, 1, 36_500, "days");
}

function seconds(standard: number, high: number) {
  return count(standard, 1, high, "seconds");
}

function token() {
  const write = "32 to 512 characters without spaces, such as `openssl rand -hex 32` prints";
  const schema = z.string().regex(/^[\x21-\x7e]{32,512}$/);
  return schema.optional().register(advice, { write, secret: true });
}

function oneOf<const Words extends readonly [string, ...string[]]>(
  words: Words,
  standard: Words[number],
) {
  const schema = z.string().pipe(z.enum(words)).prefault(standard);
  return schema.register(advice, { write: `one of ${words.join(", ")}` });
}

function words(max: number) {
  return z.string().regex(new RegExp(`^[^\\p{Cc}]{1,${max}}$`, "u"));
}

const webAddress = z.url({ protocol: /^https?$/ }).transform((text) => text.replace(/\/+$/, ""));

const folder = z
  .string()
  .refine((text) => !/\0|^[a-z0-9]+:\/\//i.test(text))
  .transform((text) => resolve(text));

/** Every setting of the server, by the variable that carries it. */
export const settings = z.object({
  SIGNALBOX_HOST: z
    .string()
    .regex(/^[A-Za-z0-9.:_-]+$/)
    .prefault("127.0.0.1")
    .register(advice, { write: "an address of this machine: 127.0.0.1, or 0.0.0.0 for all" }),
  SIGNALBOX_PORT: wholeNumber(0, 65_535)
    .prefault("4600")
    .register(advice, { write: "a port from 1 to 65535, such as 4600, or 0 for any free one" }),
  SIGNALBOX_PUBLIC_URL: webAddress
    .optional()
    .register(advice, { write: "the address people open, such as https://signalbox.example" }),
  DATABASE_URL: z
    .string()
    // No URL parser: PostgreSQL allows several hosts, separated by commas.
    .regex(/^postgres(ql)?:\/\/\S+$/)
    .optional()
    .register(advice, {
      write: "postgres://USER:PASSWORD@HOST:5432/DATABASE, or nothing for the embedded database",
      secret: true,
    }),
  SIGNALBOX_DATA: folder.prefault("./.signalbox").register(advice, { write: "a folder" }),
  SIGNALBOX_BLOBS: folder.optional().register(advice, {
    write: "a folder that every server reaches (object stores are not supported yet)",
  }),
  SIGNALBOX_ADMIN_TOKEN: token(),
  SIGNALBOX_WORKER_TOKEN: token(),
  SIGNALBOX_METRICS_TOKEN: token(),
  SIGNALBOX_OIDC_ISSUER: webAddress.optional().register(advice, {
    write: "the address of an OpenID Connect provider, such as https://accounts.example",
  }),
  SIGNALBOX_OIDC_CLIENT_ID: words(255)
    .optional()
    .register(advice, { write: "the client id that the provider has given this server" }),
  SIGNALBOX_OIDC_CLIENT_SECRET: words(1_000)
    .optional()
    .register(advice, { write: "the secret that belongs to the client id", secret: true }),
  SIGNALBOX_OIDC_NAME: words(60)
    .prefault("single sign-on")
    .register(advice, { write: "what stands behind “Sign in with”, at most 60 characters" }),
  SIGNALBOX_RETENTION_RAW_DAYS: days(14),
  SIGNALBOX_RETENTION_ROLLUP_DAYS: days(400),
  SIGNALBOX_RETENTION_DISPATCH_DAYS: days(30),
  SIGNALBOX_RETENTION_JOBS_DAYS: days(90),
  SIGNALBOX_RETENTION_LOGS_DAYS: days(30),
  SIGNALBOX_ROLLUP_INTERVAL_SECONDS: seconds(60, 3600),
  SIGNALBOX_WORKER_SAMPLE_SECONDS: seconds(15, 3600),
  SIGNALBOX_LEASE_SECONDS: seconds(30, 86_400),
  SIGNALBOX_GRACE_SECONDS: seconds(15, 86_400),
  SIGNALBOX_SMTP_URL: z
    .string()
    .regex(/^smtps?:\/\/\S+$/)
    .optional()
    .register(advice, {
      write: "smtp://USER:PASSWORD@HOST:587, or smtps:// for TLS",
      secret: true,
    }),
  SIGNALBOX_MAIL_FROM: words(200).optional().register(advice, {
    write: "who e-mails come from, such as Signalbox <signalbox@example.org>",
  }),
  SIGNALBOX_ALERTS_PRIVATE: oneOf(["refuse", "allow"], "refuse"),
  SIGNALBOX_LOG_LEVEL: oneOf(LOG_LEVELS, "info"),
  SIGNALBOX_LOG_FORMAT: oneOf(LOG_FORMATS, "auto"),
});

export type SettingName = keyof typeof settings.shape;
export const SETTING_NAMES = Object.keys(settings.shape) as SettingName[];

/** Read where the setting itself is unset: platforms that choose a port say it in `PORT`. */
const STANDS_IN: Partial<Record<SettingName, string>> = { SIGNALBOX_PORT: "PORT" };

export type Config = ReturnType<typeof arrange>;

/** Reads the settings. An empty value counts as unset. Throws ConfigError. */
export function parseConfig(env: Environment): Config {
  const sources = Object.fromEntries(SETTING_NAMES.map((name) => [name, sourceOf(env, name)]));
  const written = Object.entries(sources).flatMap(([name, source]) =>
    source === undefined ? [] : [[name, env[source]!.trim()]],
  );
  const parsed = settings.safeParse(Object.fromEntries(written));
  const problems = misspelt(env);
  for (const name of new Set(parsed.error?.issues.map((issue) => issue.path[0]))) {
    problems.push(complaint(name as SettingName, sources[name as SettingName]!, env));
  }
  if (parsed.success) problems.push(...missing(parsed.data), ...mailMissing(parsed.data));
  if (problems.length > 0) throw new ConfigError(problems);
  return arrange(parsed.data!);
}

/** Signing in at a provider needs all of these, or none. */
const OIDC = [
  "SIGNALBOX_OIDC_ISSUER",
  "SIGNALBOX_OIDC_CLIENT_ID",
  "SIGNALBOX_OIDC_CLIENT_SECRET",
] as const;

function missing(values: z.output<typeof settings>): string[] {
  if (OIDC.every((name) => values[name] === undefined)) return [];
  // The provider sends people back to an address that it knows beforehand.
  return [...OIDC, "SIGNALBOX_PUBLIC_URL" as const]
    .filter((name) => values[name] === undefined)
    .map((name) => `${name} is not set: write ${advice.get(settings.shape[name])!.write}.`);
}

/** Sending e-mail needs both, or neither. */
function mailMissing(values: z.output<typeof settings>): string[] {
  const both = ["SIGNALBOX_SMTP_URL", "SIGNALBOX_MAIL_FROM"] as const;
  if (both.every((name) => values[name] === undefined)) return [];
  return both
    .filter((name) => values[name] === undefined)
    .map((name) => `${name} is not set: write ${advice.get(settings.shape[name])!.write}.`);
}

function mailOf(values: z.output<typeof settings>) {
  const { SIGNALBOX_SMTP_URL: url, SIGNALBOX_MAIL_FROM: from } = values;
  return url && from ? Object.freeze({ url, from }) : null;
}

function oidcOf(values: z.output<typeof settings>) {
  const issuer = values.SIGNALBOX_OIDC_ISSUER;
  const clientId = values.SIGNALBOX_OIDC_CLIENT_ID;
  const clientSecret = values.SIGNALBOX_OIDC_CLIENT_SECRET;
  if (!issuer || !clientId || !clientSecret) return null;
  return Object.freeze({ issuer, clientId, clientSecret, name: values.SIGNALBOX_OIDC_NAME });
}

/** The variable that this setting is read from, or `undefined` where it keeps its default. */
function sourceOf(env: Environment, name: SettingName): string | undefined {
  return [name, STANDS_IN[name]].find((source) => source !== undefined && env[source]?.trim());
}

function complaint(name: SettingName, source: string, env: Environment): string {
  const { write, secret } = advice.get(settings.shape[name])!;
  const value = env[source]!.trim();
  const told = secret
    ? `cannot be used (${value.length} characters)`
    : `is ${JSON.stringify(value)}`;
  return `${source} ${told}: write ${write}.`;
}

function arrange(values: z.output<typeof settings>) {
  const dataDir = values.SIGNALBOX_DATA;
  return Object.freeze({
    host: values.SIGNALBOX_HOST,
    /** 0 picks a free one. */
    port: values.SIGNALBOX_PORT,
    /** The address that people use, without a slash at its end; undefined: host and port. */
    publicUrl: values.SIGNALBOX_PUBLIC_URL,
    /** Undefined: PostgreSQL is started under the data folder. */
    databaseUrl: values.DATABASE_URL,
    /** Absolute. */
    dataDir,
    /** Absolute; shared by all servers where there are several. */
    blobs: values.SIGNALBOX_BLOBS ?? join(dataDir, "blobs"),
    /** Tokens are undefined where not set: `up` and `serve` then keep one in the data folder. */
    adminToken: values.SIGNALBOX_ADMIN_TOKEN,
    workerToken: values.SIGNALBOX_WORKER_TOKEN,
    metricsToken: values.SIGNALBOX_METRICS_TOKEN,
    /** Null: people sign in with passwords only. */
    oidc: oidcOf(values),
    retention: Object.freeze({
      rawDays: values.SIGNALBOX_RETENTION_RAW_DAYS,
      rollupDays: values.SIGNALBOX_RETENTION_ROLLUP_DAYS,
      dispatchDays: values.SIGNALBOX_RETENTION_DISPATCH_DAYS,
      jobsDays: values.SIGNALBOX_RETENTION_JOBS_DAYS,
      logsDays: values.SIGNALBOX_RETENTION_LOGS_DAYS,
    }),
    rollupIntervalSeconds: values.SIGNALBOX_ROLLUP_INTERVAL_SECONDS,
    workerSampleSeconds: values.SIGNALBOX_WORKER_SAMPLE_SECONDS,
    leaseSeconds: values.SIGNALBOX_LEASE_SECONDS,
    graceSeconds: values.SIGNALBOX_GRACE_SECONDS,
    /** How alerts leave the house. */
    sending: Object.freeze({
      mail: mailOf(values),
      allowsPrivate: values.SIGNALBOX_ALERTS_PRIVATE === "allow",
    }),
    logLevel: values.SIGNALBOX_LOG_LEVEL,
    logFormat: values.SIGNALBOX_LOG_FORMAT,
  });
}

// Misspellings

/** A setting with a typing error would be ignored in silence; a near miss of a name is told. */
function misspelt(env: Environment): string[] {
  const known = new Set<string>([...SETTING_NAMES, ...CLIENT_NAMES]);
  return Object.keys(env).flatMap((name) => {
    if (!name.startsWith("SIGNALBOX_") || known.has(name)) return [];
    const near = SETTING_NAMES.find((setting) => isNear(name, setting));
    return near ? [`${name} is no setting: did you mean ${near}?`] : [];
  });
}

/** What clients and jobs read; never a setting of the server. */
const CLIENT_NAMES = ["SIGNALBOX_URL", "SIGNALBOX_TOKEN", "SIGNALBOX_ORG"];

/** One letter missing, added, changed, or swapped with its neighbour; or two of them missing. */
function isNear(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 2) return false;
  let start = 0;
  while (start < Math.min(a.length, b.length) && a[start] === b[start]) start++;
  let end = 0;
  const room = Math.min(a.length, b.length) - start;
  while (end < room && a.at(-1 - end) === b.at(-1 - end)) end++;
  return Math.max(a.length, b.length) - start - end <= 2;
}

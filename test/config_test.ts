import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { test } from "node:test";
import {
  ConfigError,
  type Environment,
  parseConfig,
  SETTING_NAMES,
  type SettingName,
  settings,
} from "../src/config.ts";

const TOKEN = "0123456789abcdef0123456789abcdef";

function problems(env: Environment): readonly string[] {
  try {
    parseConfig(env);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems;
  }
  return [];
}

test("nothing has to be set", () => {
  const config = parseConfig({});
  assert.equal(config.host, "127.0.0.1");
  assert.equal(config.port, 4600);
  assert.equal(config.databaseUrl, undefined);
  assert.equal(config.adminToken, undefined);
  assert.equal(config.retention.jobsDays, 90);
  assert.ok(isAbsolute(config.dataDir));
  assert.equal(config.blobs, join(config.dataDir, "blobs"));
});

test("every setting arrives where it belongs", () => {
  const env: Record<string, string> = {
    SIGNALBOX_HOST: "0.0.0.0",
    SIGNALBOX_PORT: "5000",
    SIGNALBOX_PUBLIC_URL: "https://jobs.example/",
    DATABASE_URL: "postgres://me:secret@a:5432,b:5432/jobs",
    SIGNALBOX_DATA: "/var/lib/signalbox",
    SIGNALBOX_BLOBS: "/srv/blobs",
    SIGNALBOX_ADMIN_TOKEN: `a${TOKEN}`,
    SIGNALBOX_WORKER_TOKEN: `w${TOKEN}`,
    SIGNALBOX_METRICS_TOKEN: `m${TOKEN}`,
    SIGNALBOX_OIDC_ISSUER: "https://accounts.example/",
    SIGNALBOX_OIDC_CLIENT_ID: "signalbox",
    SIGNALBOX_OIDC_CLIENT_SECRET: "hush",
    SIGNALBOX_OIDC_NAME: "Example",
    SIGNALBOX_RETENTION_RAW_DAYS: "1",
    SIGNALBOX_RETENTION_ROLLUP_DAYS: "2",
    SIGNALBOX_RETENTION_DISPATCH_DAYS: "3",
    SIGNALBOX_RETENTION_JOBS_DAYS: "4",
    SIGNALBOX_RETENTION_LOGS_DAYS: "5",
    SIGNALBOX_ROLLUP_INTERVAL_SECONDS: "6",
    SIGNALBOX_WORKER_SAMPLE_SECONDS: "7",
    SIGNALBOX_LEASE_SECONDS: "8",
    SIGNALBOX_GRACE_SECONDS: "9",
    SIGNALBOX_SMTP_URL: "smtp://me:hush@mail.example:587",
    SIGNALBOX_MAIL_FROM: "Signalbox <box@jobs.example>",
    SIGNALBOX_ALERTS_PRIVATE: "allow",
    SIGNALBOX_LOG_LEVEL: "debug",
    SIGNALBOX_LOG_FORMAT: "json",
  };
  assert.deepEqual(Object.keys(env).sort(), [...SETTING_NAMES].sort());
  assert.deepEqual(parseConfig(env), {
    host: "0.0.0.0",
    port: 5000,
    publicUrl: "https://jobs.example",
    databaseUrl: "postgres://me:secret@a:5432,b:5432/jobs",
    dataDir: "/var/lib/signalbox",
    blobs: "/srv/blobs",
    adminToken: `a${TOKEN}`,
    workerToken: `w${TOKEN}`,
    metricsToken: `m${TOKEN}`,
    oidc: {
      issuer: "https://accounts.example",
      clientId: "signalbox",
      clientSecret: "hush",
      name: "Example",
    },
    retention: { rawDays: 1, rollupDays: 2, dispatchDays: 3, jobsDays: 4, logsDays: 5 },
    rollupIntervalSeconds: 6,
    workerSampleSeconds: 7,
    leaseSeconds: 8,
    graceSeconds: 9,
    sending: {
      mail: { url: "smtp://me:hush@mail.example:587", from: "Signalbox <box@jobs.example>" },
      allowsPrivate: true,
    },
    logLevel: "debug",
    logFormat: "json",
  });
});

test("the settings cannot be changed afterwards", () => {
  const config = parseConfig({});
  assert.ok(Object.isFrozen(config));
  assert.ok(Object.isFrozen(config.retention));
});

test("an empty value counts as unset, and space around a value is dropped", () => {
  assert.equal(parseConfig({ SIGNALBOX_PORT: "", SIGNALBOX_HOST: "  " }).port, 4600);
  assert.equal(parseConfig({ SIGNALBOX_PORT: " 80\n" }).port, 80);
});

test("PORT stands in for SIGNALBOX_PORT, which wins", () => {
  assert.equal(parseConfig({ PORT: "7000" }).port, 7000);
  assert.equal(parseConfig({ PORT: "7000", SIGNALBOX_PORT: "7001" }).port, 7001);
  assert.equal(parseConfig({ PORT: "7000", SIGNALBOX_PORT: "" }).port, 7000);
});

test("every bad value is told at once, with what to write", () => {
  const told = problems({
    PORT: "eighty",
    SIGNALBOX_HOST: "two words",
    SIGNALBOX_LEASE_SECONDS: "0",
    SIGNALBOX_RETENTION_RAW_DAYS: "1.5",
    SIGNALBOX_LOG_LEVEL: "loud",
  });
  assert.equal(told.length, 5);
  assert.ok(told.every((line) => / (is|cannot be used) .*: write .+\.$/.test(line)));
  assert.ok(told.some((line) => line.startsWith('PORT is "eighty"')));
});

test("what is no whole number in range is refused", () => {
  for (const value of ["-1", "65536", "1e3", "0x50", "80.0", "1 2", "٣"]) {
    assert.equal(problems({ SIGNALBOX_PORT: value }).length, 1, value);
  }
});

test("a database of another kind and an object store are refused", () => {
  assert.equal(problems({ DATABASE_URL: "mysql://host/db" }).length, 1);
  assert.match(problems({ SIGNALBOX_BLOBS: "s3://bucket/x" })[0]!, /not supported yet/);
});

test("a short token is refused, and no secret is repeated", () => {
  const told = problems({
    SIGNALBOX_ADMIN_TOKEN: "hunter2",
    SIGNALBOX_WORKER_TOKEN: `with space ${TOKEN}`,
    DATABASE_URL: "me:hunter2@host/db",
  }).join("\n");
  assert.match(told, /SIGNALBOX_ADMIN_TOKEN cannot be used \(7 characters\): write 32 to/);
  assert.doesNotMatch(told, /hunter2|with space/);
});

test("a misspelt name is told, and an unrelated one is not", () => {
  assert.match(problems({ SIGNALBOX_LEASE_SECOND: "5" })[0]!, /did you mean SIGNALBOX_LEASE_S/);
  assert.match(problems({ SIGNALBOX_PROT: "5" })[0]!, /did you mean SIGNALBOX_PORT\?/);
  assert.deepEqual(problems({ SIGNALBOX_URL: "x", SIGNALBOX_JOB: "y", SIGNALBOX_ORG: "z" }), []);
});

test("docs/configuration.md lists exactly these settings, with their defaults", async () => {
  const page = await readFile(new URL("../docs/configuration.md", import.meta.url), "utf8");
  const server = page.slice(page.indexOf("## Server"), page.indexOf("## Command line"));
  const rows = [...server.matchAll(/^\| `([A-Z_]+)` \| (.+?) \| (.+?) \|$/gm)];
  assert.deepEqual(
    rows.map((row) => row[1]),
    SETTING_NAMES,
  );
  for (const [, name = "", told = "", effect = ""] of rows) {
    const { def } = settings.shape[name as SettingName] as { def: { defaultValue?: string } };
    const { defaultValue } = def;
    if (defaultValue !== undefined) assert.equal(told, `\`${defaultValue}\``, name);
    else assert.doesNotMatch(told, /^`[^`]*`$/, `${name} has no default`);
    assert.ok(effect.length > 20, name);
  }
});

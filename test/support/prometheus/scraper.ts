/** A real Prometheus of its own folder and port, set up by the files of `deploy/prometheus`. */
import { spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parse, stringify } from "yaml";
import { eventually } from "../eventually.ts";
import { freePort } from "../system.ts";

const DEPLOY = fileURLToPath(new URL("../../../deploy/prometheus/", import.meta.url));

export interface Sample {
  metric: Record<string, string>;
  value: [at: number, value: string];
}

export interface Scraper {
  /** An instant query, as of now or of a moment in epoch seconds. Throws with what Prometheus says of it. */
  query(expr: string, at?: number): Promise<Sample[]>;
  /** How each rule is, by name: `ok`, or what is wrong with it. */
  rules(): Promise<Record<string, string>>;
  stop(): Promise<void>;
}

/** The example's files with a token, in a folder of their own. */
export function configFolder(token = "a-token-of-an-example-0123456789abcdef") {
  const folder = mkdtempSync(join(tmpdir(), "signalbox-prometheus-"));
  for (const file of ["prometheus.yml", "alerts.yml"])
    copyFileSync(DEPLOY + file, join(folder, file));
  writeFileSync(join(folder, "signalbox-token"), token, { mode: 0o600 });
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** The example as it is, but for the target and how often it is scraped. */
export async function startScraper(target: number, token: string): Promise<Scraper> {
  const { folder, remove } = configFolder(token);
  const file = join(folder, "prometheus.yml");
  const config = parse(readFileSync(file, "utf8"));
  config.global = { scrape_interval: "1s", scrape_timeout: "1s", evaluation_interval: "1s" };
  config.scrape_configs[0].static_configs = [{ targets: [`127.0.0.1:${target}`] }];
  writeFileSync(file, stringify(config));
  const port = await freePort();
  const args = [
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(folder, "data")}`,
    `--web.listen-address=127.0.0.1:${port}`,
    "--log.level=warn",
  ];
  const child = spawn("prometheus", args, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk) => {
    said = (said + chunk).slice(-4_000);
  });
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const killed = () => child.kill("SIGKILL");
  process.once("exit", killed);
  const ask = (path: string) => fetch(`http://127.0.0.1:${port}${path}`);
  const scraper: Scraper = {
    query: async (expr, at) => {
      const moment = at === undefined ? "" : `&time=${at}`;
      const answer = await ask(`/api/v1/query?query=${encodeURIComponent(expr)}${moment}`);
      const json = (await answer.json()) as {
        status: string;
        error?: string;
        data: { result: Sample[] };
      };
      if (json.status !== "success") throw new Error(`${json.error} in ${expr}`);
      return json.data.result;
    },
    rules: async () => {
      const json = await (await ask("/api/v1/rules")).json();
      const groups = json.data.groups as { rules: Record<string, string>[] }[];
      const rules = groups.flatMap((group) => group.rules);
      return Object.fromEntries(rules.map((rule) => [rule.name, rule.lastError ?? rule.health]));
    },
    stop: async () => {
      child.kill("SIGTERM");
      await gone;
      process.off("exit", killed);
      remove();
    },
  };
  const ready = async () => (await ask("/-/ready")).ok;
  await eventually(ready, "Prometheus is ready", { deadlineMs: 60_000 }).catch(async (error) => {
    await scraper.stop();
    throw new Error(`${error.message} ${said}`);
  });
  return scraper;
}

/**
 * `npm run test:prometheus`: the files of `deploy/prometheus` under Debian's promtool, then a real Prometheus that
 * scrapes a real server with jobs, and what it tells beside what the board tells. Ends with `N passed, N failed`.
 */
import { spawnSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { comparedLive } from "./support/prometheus/compared_live.ts";
import { configFolder } from "./support/prometheus/scraper.ts";

const DEPLOY = fileURLToPath(new URL("../deploy/prometheus", import.meta.url));
const totals = { passed: 0, failed: 0 };

function count(name: string, fault: string | null): void {
  totals[fault === null ? "passed" : "failed"] += 1;
  console.log(fault === null ? `ok   ${name}` : `FAIL ${name}: ${fault}`);
}

function isInstalled(command: string): boolean {
  return spawnSync(command, ["--version"], { stdio: "ignore" }).status === 0;
}

function promtool(folder: string, ...args: string[]): void {
  const { status, stdout, stderr } = spawnSync("promtool", args, { cwd: folder, encoding: "utf8" });
  count(`promtool ${args.join(" ")}`, status === 0 ? null : `${stdout}${stderr}`);
}

if (!["promtool", "prometheus"].every(isInstalled)) {
  console.error("prometheus and promtool are not there. On Debian:");
  console.error("    apt-get install -y --no-install-recommends prometheus");
  process.exit(1);
}

promtool(DEPLOY, "check", "rules", "alerts.yml");
const example = configFolder();
promtool(example.folder, "check", "config", "prometheus.yml");
example.remove();
promtool(DEPLOY, "test", "rules", "alerts_test.yml", "alerts_days_test.yml");
try {
  await comparedLive(count);
} catch (error) {
  count("a Prometheus beside the board", error instanceof Error ? error.message : String(error));
}
console.log(`\n${totals.passed} passed, ${totals.failed} failed`);
process.exit(totals.failed > 0 ? 1 : 0);

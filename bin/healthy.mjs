/**
 * The container's health check. A server is asked whether it lives; a worker serves nothing, and
 * the container ends with it.
 */
import { readFileSync } from "node:fs";

const words = readFileSync("/proc/1/cmdline", "utf8").split("\0");
const given = words.indexOf("--port");
const port =
  (given > 0 && words[given + 1]) || process.env.SIGNALBOX_PORT || process.env.PORT || "4600";

const alive = words.includes("worker") || (await answers(`http://127.0.0.1:${port}/healthz`));
process.exit(alive ? 0 : 1);

function answers(url) {
  return fetch(url, { signal: AbortSignal.timeout(4_000) }).then(
    (answer) => answer.ok,
    () => false,
  );
}

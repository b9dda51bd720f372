/** What the doctor sees of a running server: reach, readiness, token, clock, workers. */
import type { Config } from "../../config.ts";
import { Client } from "../../sdk/client.ts";
import { ClientError } from "../../sdk/client_error.ts";
import { tryListen } from "../port_probe.ts";
import { count } from "../print/text.ts";
import { printDuration } from "../print/time.ts";
import { type ClientSettings, codeOf } from "../settings.ts";
import { type Finding, fail, ok, skip, warn } from "./check.ts";

/** Times are shown by two clocks; with more between them, waits look wrong. */
const CLOCK_WARN_MS = 5_000;
const CLOCK_FAIL_MS = 60_000;

export interface ServerLook {
  up: boolean;
  findings: Finding[];
}

export async function checkServer(settings: ClientSettings): Promise<ServerLook> {
  let client: Client;
  try {
    client = new Client({ ...settings, patienceMs: 0, timeoutMs: 5_000 });
  } catch (error) {
    const mend = `Correct it in ${settings.source.url}.`;
    return { up: false, findings: [fail("server", (error as Error).message, mend)] };
  }
  const server = await readiness(client);
  if (!server.up) return server;
  const findings = [...server.findings, ...(await checkToken(client, settings))];
  findings.push(await checkClock(settings.url));
  return { up: true, findings };
}

async function readiness(client: Client): Promise<ServerLook> {
  try {
    const { ready, checks } = await client.ready();
    if (ready) return { up: true, findings: [ok("server", `${client.url} is ready.`)] };
    const wrong = checks.filter((check) => !check.ok);
    const words = wrong.map(({ name, detail }) => `${name}: ${detail ?? "failed"}`).join(" ");
    const mend = "Mend what it names; its log tells more.";
    return { up: true, findings: [fail("server", `${client.url} is not ready. ${words}`, mend)] };
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    const mend = error.unreached
      ? "Start it with `signalbox up` or `signalbox serve`, or correct SIGNALBOX_URL."
      : "Something else listens there: correct SIGNALBOX_URL.";
    return { up: false, findings: [fail("server", error.message, mend)] };
  }
}

async function checkToken(client: Client, settings: ClientSettings): Promise<Finding[]> {
  try {
    const workers = await client.workers();
    const token = ok("token", `The token from ${settings.source.token} is accepted.`);
    return [token, describeWorkers(workers)];
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    const workers = skip("workers", "Not to be seen without a valid token.");
    if (error.status === 401) {
      const words = `The server refuses the token from ${settings.source.token}.`;
      return [fail("token", words, "Set SIGNALBOX_TOKEN to a valid one."), workers];
    }
    if (error.status === 404) {
      const mend = "Set SIGNALBOX_ORG or --org to one that exists.";
      return [fail("token", `There is no organization ${settings.org}.`, mend), workers];
    }
    return [fail("token", error.message, "Look in the server's log."), workers];
  }
}

function describeWorkers(workers: { state: string; slots: number; used: number }[]): Finding {
  const able = workers.filter((worker) => worker.state === "ready");
  if (able.length === 0) {
    const words =
      workers.length === 0 ? "None is connected." : "None takes jobs: draining or lost.";
    const mend = "Start one: signalbox worker --url ws://HOST:PORT --token-file FILE";
    return fail("workers", `${words} Jobs will wait.`, mend);
  }
  const slots = able.reduce((sum, worker) => sum + worker.slots, 0);
  const used = able.reduce((sum, worker) => sum + worker.used, 0);
  return ok(
    "workers",
    `${count(able.length, "worker")}, ${used} of ${count(slots, "slot")} in use.`,
  );
}

/** The `Date` header has whole seconds, so half a second is taken off on average. */
async function checkClock(url: string): Promise<Finding> {
  const asked = Date.now();
  const response = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(5_000) });
  await response.body?.cancel();
  const theirs = Date.parse(response.headers.get("date") ?? "");
  if (Number.isNaN(theirs)) return skip("clock", "The server does not tell its time.");
  const off = theirs + 500 - (asked + Date.now()) / 2;
  const words = `This clock and the server's differ by ${printDuration(Math.abs(off))}.`;
  const mend = "Set both clocks by NTP.";
  if (Math.abs(off) > CLOCK_FAIL_MS) return fail("clock", words, mend);
  if (Math.abs(off) > CLOCK_WARN_MS) return warn("clock", words, mend);
  return ok("clock", "This clock agrees with the server's.");
}

/** Whether a server could start: its port is free. With `runningAt` one has, there. */
export async function checkPort(config: Config, runningAt: string | undefined): Promise<Finding> {
  const { host, port } = config;
  if (runningAt !== undefined) return ok("port", `Signalbox itself listens at ${runningAt}.`);
  if (port === 0) return ok("port", "Any free one is taken.");
  const error = await tryListen(host, port);
  if (error === undefined) return ok("port", `${host}:${port} is free.`);
  if (codeOf(error) === "EADDRINUSE") {
    const mend = "Stop the other program, or set SIGNALBOX_PORT to another port.";
    return fail("port", `${host}:${port} is in use by another program.`, mend);
  }
  const mend = "Set SIGNALBOX_HOST and SIGNALBOX_PORT to what this account may listen on.";
  return fail("port", `${host}:${port} cannot be listened on (${codeOf(error)}).`, mend);
}

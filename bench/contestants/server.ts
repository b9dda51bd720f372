/** A Signalbox server in a process of its own, as `serve` starts it. */
import { randomBytes } from "node:crypto";
import { parseConfig } from "../../src/config.ts";
import { type RunningServer, startServer } from "../../src/main.ts";
import { runtime } from "../../src/runtime/runtime.ts";
import { answer } from "../support/answer.ts";

let server: RunningServer | undefined;

async function start({ databaseUrl, dataDir }: { databaseUrl: string; dataDir: string }) {
  const adminToken = randomBytes(24).toString("hex");
  const workerToken = randomBytes(24).toString("hex");
  const config = parseConfig({
    DATABASE_URL: databaseUrl,
    SIGNALBOX_DATA: dataDir,
    SIGNALBOX_PORT: "0",
    SIGNALBOX_LOG_LEVEL: "warn",
  });
  server = await startServer({ ...config, adminToken, workerToken }, runtime);
  return { url: server.url, adminToken, workerToken };
}

answer({ start }, () => server?.stop());

/**
 * A process that runs the embedded PostgreSQL of a data folder, to be killed by a test.
 * Arguments: data folder, fallback root. Prints "up {url, pid}", stops on a line of stdin.
 */
import process from "node:process";
import { startEmbedded } from "../../src/db/embedded.ts";

const [dataDir = "", fallbackRoot] = process.argv.slice(2);
const say = (text: string) => console.log(text);
try {
  const embedded = await startEmbedded({
    dataDir,
    ...(fallbackRoot ? { fallbackRoot } : {}),
    log: { info: (text) => say(`info ${text}`), warn: (text) => say(`warn ${text}`) },
  });
  say(`up ${JSON.stringify({ url: embedded.url, pid: embedded.pid })}`);
  process.stdin.once("data", async () => {
    await embedded.stop();
    say("stopped");
    process.exit(0);
  });
} catch (error) {
  say(`failed ${error instanceof Error ? error.message : error}`);
  process.exit(1);
}

/** How to start this very program once more, as another process. */
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Runtime } from "../../runtime/contract.ts";

const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));

/** Program and arguments that run `signalbox ARGS…` on the runtime we run on. */
export function selfCommand(runtime: Pick<Runtime, "name">, args: readonly string[]): string[] {
  const how = runtime.name === "deno" ? ["run", "--allow-all"] : [];
  return [process.execPath, ...how, MAIN, ...args];
}

/** The runtime this process runs on. Only composition roots import it; others are handed parts of it. */
import { createBunRuntime } from "./bun.ts";
import type { Runtime } from "./contract.ts";
import { createDenoRuntime } from "./deno.ts";

export const runtime: Runtime = pick();

function pick(): Runtime {
  if ("Bun" in globalThis) return createBunRuntime();
  if ("Deno" in globalThis) return createDenoRuntime();
  throw new Error(
    "Signalbox runs on Bun or Deno: start it with `bin/signalbox.mjs`, which finds Bun.",
  );
}

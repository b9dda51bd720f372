/** `up --demo`: a living sample workload beside the server. */
import type { Database } from "../../db/client.ts";
import type { Demo } from "../../demo/demo.ts";
import type { Context } from "../context.ts";
import { CliError, UsageError } from "../errors.ts";

export interface DemoFlags {
  demo?: boolean;
  demoSeed?: number;
}

const SEED = 1;

/** What to do before the engine starts, and once the server is there; nothing without `--demo`. */
export function withDemo(
  context: Context,
  flags: DemoFlags,
  { adminToken }: { adminToken: string },
): { prepare?(database: Database): Promise<void>; play(url: string): Promise<Demo> } {
  if (!flags.demo) {
    if (flags.demoSeed !== undefined) throw new UsageError("--demo-seed is for --demo only.");
    return { play: async () => ({ stop: async () => {} }) };
  }
  const seed = flags.demoSeed ?? SEED;
  const say = (text: string) => context.err.line(text);
  return {
    prepare: async (database) => {
      const { DemoRefused, prepareDemo } = await import("../../demo/prepare.ts");
      try {
        await prepareDemo(database, { seed, now: Date.now(), say });
      } catch (error) {
        throw error instanceof DemoRefused ? new CliError(error.message, 1, error) : error;
      }
    },
    play: async (url) => {
      const { startDemo } = await import("../../demo/demo.ts");
      const demo = await startDemo({ url, adminToken, seed, say });
      context.out.line(
        "This is a demo: three made-up organizations, whose workers only pretend to work.",
      );
      return demo;
    },
  };
}

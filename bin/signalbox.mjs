#!/usr/bin/env node
/**
 * `signalbox …`: needs only Node with npm. Finds or fetches Bun, installs the packages where they
 * are missing, then runs the command line under Bun in its place.
 */
import { runBun } from "./launch.mjs";

const args = process.argv.slice(2);
// What follows a job with --follow is told by the job's own code; 125 is Signalbox's failure.
const failure = args.includes("--follow") ? 125 : 1;
await runBun(["src/cli/main.ts", ...args], failure);

#!/usr/bin/env node
/** `node bin/with_bun.mjs FILE …`: sets up like `signalbox`, then runs a file of this project. */
import { runBun } from "./launch.mjs";

await runBun(process.argv.slice(2), 1);

/** Composition root of the command line. */
import process from "node:process";
import type { WriteStream } from "node:tty";
import { runtime } from "../runtime/runtime.ts";
import type { Context } from "./context.ts";
import { createOutput } from "./output.ts";
import { runProgram } from "./program.ts";
import { VERSION } from "./version.ts";

const context: Context = {
  runtime,
  env: runtime.env,
  version: VERSION,
  cwd: process.cwd(),
  out: createOutput(process.stdout as WriteStream, runtime.env),
  err: createOutput(process.stderr as WriteStream, runtime.env),
  stdin: () => process.stdin as AsyncIterable<Uint8Array>,
  notice: (text) => context.err.line(text),
  exitCode: 0,
  debug: false,
  following: false,
};

// `signalbox jobs | head` closes the pipe: nobody reads on, so there is nothing left to do.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") runtime.exit(context.exitCode);
  });
}

const code = await runProgram(runtime.args, context);
await Promise.all([context.out.flush(), context.err.flush()]);
runtime.exit(code);

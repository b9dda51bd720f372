/** Started by `worker_process.ts`: the `worker` command without the command line. */
import { runtime } from "../../src/runtime/runtime.ts";
import { runWorker } from "../../src/worker/main.ts";

const options = JSON.parse(process.argv[2]!);
try {
  runtime.exit(await runWorker(options, runtime));
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  runtime.exit(2);
}

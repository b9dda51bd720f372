/** The page about the statecharts and its pictures, as text, made from the machines alone. */
import { jobMachine } from "../../src/core/job_machine.ts";
import { workerMachine } from "../../src/core/worker_machine.ts";
import { type Chart, readChart } from "./chart.ts";
import { drawChart } from "./draw.ts";
import { JOB_LAYOUT, WORKER_LAYOUT } from "./layouts.ts";

/** By path within `docs/`. */
export function statechartFiles(): Record<string, string> {
  const job = readChart(jobMachine);
  const worker = readChart(workerMachine);
  return {
    "statecharts.md": page(job, worker),
    "statecharts/job.svg": drawChart(job, JOB_LAYOUT),
    "statecharts/worker.svg": drawChart(worker, WORKER_LAYOUT),
  };
}

function page(job: Chart, worker: Chart): string {
  return `# Statecharts

Made from \`src/core/job_machine.ts\` and \`src/core/worker_machine.ts\` by
\`bun docs/write.ts\`; a test fails while this page or a picture is out of date.

The machines are the specification. What runs is the same as a literal table
(\`src/core/job_table.ts\`, \`src/core/worker_table.ts\`); tests compare both for every pair.
Conditions are resolved into the event before, by \`src/core/job_end.ts\`.

## A job

![Statechart of a job](statecharts/job.svg)

${states(job)}

${moves(job)}

## A worker connection

![Statechart of a worker connection](statecharts/worker.svg)

${states(worker)}

${moves(worker)}
`;
}

function states({ states }: Chart): string {
  return table(
    ["state", "final", "meaning"],
    states.map(({ name, final, description }) => [code(name), final ? "yes" : "", description]),
  );
}

function moves({ moves }: Chart): string {
  return table(
    ["from", "event", "to", "when"],
    moves.map(({ from, event, to, description }) => [
      code(from),
      code(event),
      code(to),
      description.replaceAll("<", "&lt;"),
    ]),
  );
}

function table(head: string[], rows: string[][]): string {
  return [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

function code(word: string): string {
  return `\`${word}\``;
}

/** `signalbox run FILE`: a workflow from YAML or JSON. */
import { Command } from "commander";
import { ClientError } from "../../sdk/client_error.ts";
import { type ClientFlags, connect, printJson, withClientFlags } from "../connect.ts";
import type { Context } from "../context.ts";
import { followWorkflow } from "../follow/follow_workflow.ts";
import { count } from "../print/text.ts";
import { collectPairs } from "../values.ts";
import { readWorkflowFile } from "../workflow_file/read.ts";

interface Flags extends ClientFlags {
  follow?: boolean;
  var?: Record<string, string>;
  dryRun?: boolean;
}

export function runCommand(context: Context): Command {
  const command = new Command("run")
    .summary("run a workflow from a YAML or JSON file")
    .description(
      "Submits the jobs of FILE, which may depend on each other, and prints the workflow's id. With --follow it shows every job live, prints the end of the log of each that fails, and exits 0 only if all succeed.",
    )
    .argument("<file>", "workflow file, YAML or JSON")
    .option("--follow", "show progress until the workflow has ended")
    .option("--var <k=v>", "value for one of the file's vars; may be repeated", collectPairs)
    .option("--dry-run", "check the file and print what would be submitted")
    .option("--json", "print JSON")
    .action((file: string, flags: Flags) => runFile(context, file, flags));
  return withClientFlags(command).addHelpText(
    "after",
    `
A file:
  name: build
  vars:
    WORKSPACE:            # the repository that this file lies in
  jobs:
    - key: compile
      run: make -C "$WORKSPACE"
    - key: test
      depends_on: [compile]
      command: [make, test]
      timeout_seconds: 600

Examples:
  signalbox run examples/self-check.yaml --follow
  signalbox run build.yaml --var WORKSPACE=/srv/app --dry-run`,
  );
}

async function runFile(context: Context, file: string, flags: Flags): Promise<void> {
  const { input, explainRefusal } = readWorkflowFile(file, flags.var ?? {});
  if (flags.dryRun) return printJson(context, input);
  context.following = flags.follow === true;
  const client = connect(context, flags);
  const submitted = await client.workflow(input).catch((error) => {
    throw error instanceof ClientError ? explainRefusal(error) : error;
  });
  if (!flags.follow) {
    if (flags.json) return printJson(context, submitted);
    context.out.line(submitted.id);
    if (context.err.terminal) {
      context.err.line(`Submitted ${count(input.jobs.length, "job")} as workflow ${input.name}.`);
    }
    return;
  }
  const output = flags.json ? context.err : context.out;
  output.line(`Workflow ${input.name} ${submitted.id}: ${count(input.jobs.length, "job")}.`);
  const keys = input.jobs.map((job) => job.key);
  const followed = { id: submitted.id, name: input.name, keys };
  const view = await followWorkflow(context, client, followed, output);
  if (flags.json) printJson(context, { ...submitted, items: view.rows.map((row) => row.job) });
}

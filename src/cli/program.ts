/**
 * All commands in one program, and how it ends: every error becomes a sentence and an exit code.
 *
 * Commands load what is large (the server, the worker, the database's driver) when they run: the
 * small ones answer in a tenth of a second.
 */
import { Command, CommanderError, Option } from "commander";
import { applyCommand } from "./commands/apply.ts";
import { cancelCommand } from "./commands/cancel.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { jobCommand } from "./commands/job.ts";
import { jobsCommand } from "./commands/jobs.ts";
import { migrateCommand } from "./commands/migrate.ts";
import { queuesCommand } from "./commands/queues.ts";
import { retryCommand } from "./commands/retry.ts";
import { runCommand } from "./commands/run.ts";
import { schedulesCommand } from "./commands/schedules.ts";
import { serveCommand } from "./commands/serve.ts";
import { slotsCommand } from "./commands/slots.ts";
import { submitCommand } from "./commands/submit.ts";
import { tokenCommand } from "./commands/token.ts";
import { upCommand } from "./commands/up.ts";
import { userCommand } from "./commands/user.ts";
import { whyCommand } from "./commands/why.ts";
import { workerCommand } from "./commands/worker.ts";
import { workersCommand } from "./commands/workers.ts";
import type { Context } from "./context.ts";
import { EXIT, exitCodeOf, explainError } from "./errors.ts";
import { createPaint } from "./print/colour.ts";

/** Runs one command line (without the program's own name). Never rejects; resolves with the exit code. */
export async function runProgram(args: readonly string[], context: Context): Promise<number> {
  const program = createProgram(context);
  try {
    await program.parseAsync([...args], { from: "user" });
    return context.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    const paint = createPaint(context.err.colour);
    context.err.line(`${paint("red", "signalbox:")} ${explainError(error)}`);
    if (context.debug) context.err.line(stackOf(error));
    return exitCodeOf(error, context.following);
  }
}

export function createProgram(context: Context): Command {
  const program = new Command("signalbox")
    .description("Runs jobs on a fleet of workers, and shows what the scheduler does and why.")
    .version(context.version, "--version", "print the version")
    .option("--debug", "print the stack of an error")
    .hook("preAction", (_program, command) => {
      context.debug = command.optsWithGlobals().debug === true;
    })
    .helpCommand("help [command]", "print help for a command")
    .enablePositionalOptions()
    .showSuggestionAfterError(true)
    .addHelpText(
      "after",
      `
Exit codes: 0 well, 1 failed, 2 wrong usage, 125 Signalbox itself failed under --follow.
\`signalbox help COMMAND\` shows a command with examples.`,
    );
  program.commandsGroup("Run Signalbox:");
  add(program, context, [upCommand, serveCommand, workerCommand, migrateCommand, doctorCommand]);
  program.commandsGroup("Run jobs:");
  add(program, context, [submitCommand, runCommand, applyCommand, cancelCommand, retryCommand]);
  program.commandsGroup("Look:");
  add(program, context, [jobsCommand, jobCommand, whyCommand]);
  add(program, context, [queuesCommand, schedulesCommand, workersCommand, slotsCommand]);
  program.commandsGroup("Let in:");
  add(program, context, [tokenCommand, userCommand]);
  obey(program, context);
  return program;
}

function add(
  program: Command,
  context: Context,
  makers: readonly ((context: Context) => Command)[],
): void {
  for (const make of makers) program.addCommand(make(context));
}

/** Output through the context; errors thrown, not exits, so that this file decides how to end. */
function obey(command: Command, context: Context): void {
  command.addHelpOption(new Option("-h, --help", "print help").helpGroup("Options:"));
  // Also behind the command's name, where it is typed when something has gone wrong.
  if (command.parent) command.addOption(new Option("--debug").hideHelp());
  command.exitOverride().configureOutput({
    writeOut: (text) => context.out.write(text),
    writeErr: (text) => context.err.write(text),
    getOutHelpWidth: () => Math.min(context.out.columns ?? 100, 100),
    getErrHelpWidth: () => Math.min(context.err.columns ?? 100, 100),
    getOutHasColors: () => context.out.colour,
    getErrHasColors: () => context.err.colour,
    outputError: (text, write) => {
      const usage = `Usage: ${usageOf(command)}\nMore: ${pathOf(command)} --help\n`;
      write(`${text.replace(/^error: /, "signalbox: ")}${usage}`);
    },
  });
  for (const each of command.commands) obey(each, context);
}

function pathOf(command: Command): string {
  const names: string[] = [];
  for (let at: Command | null = command; at; at = at.parent) names.unshift(at.name());
  return names.join(" ");
}

function usageOf(command: Command): string {
  return `${pathOf(command)} ${command.usage()}`;
}

/** With the causes below: a fault of the network is often three errors deep. */
function stackOf(error: unknown): string {
  const parts: string[] = [];
  for (let at = error, depth = 0; at !== undefined && depth < 5; depth++) {
    parts.push(at instanceof Error ? (at.stack ?? at.message) : String(at));
    at = at instanceof Error ? at.cause : undefined;
  }
  return parts.join("\ncaused by ");
}

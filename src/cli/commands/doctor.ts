/** `signalbox doctor`: what is wrong with this installation, and how to mend it. */
import { Command } from "commander";
import { type ClientFlags, printJson, withClientFlags } from "../connect.ts";
import type { Context } from "../context.ts";
import { type Finding, fail, type Verdict } from "../doctor/check.ts";
import { checkDataFolder, checkRuntime, checkSettings } from "../doctor/machine.ts";
import { checkPort, checkServer, type ServerLook } from "../doctor/server.ts";
import { CliError, EXIT } from "../errors.ts";
import { type Colour, createPaint } from "../print/colour.ts";
import { count, oneLine, wrap } from "../print/text.ts";
import { type ClientSettings, findSettings } from "../settings.ts";

export function doctorCommand(context: Context): Command {
  const command = new Command("doctor")
    .summary("check the installation and say how to mend it")
    .description(
      "Checks the runtime, the settings, the data folder, the port, the database, its retention, the server, its clock, the token and the workers. Changes nothing. Exits 1 where something is wrong.",
    )
    .option("--json", "print JSON")
    .action((flags: ClientFlags) => examine(context, flags));
  return withClientFlags(command).addHelpText("after", "\nExample:\n  signalbox doctor");
}

async function examine(context: Context, flags: ClientFlags): Promise<void> {
  const findings = await findAll(context, flags);
  const wrong = findings.filter((finding) => finding.verdict === "fail").length;
  if (wrong > 0) context.exitCode = EXIT.failed;
  if (flags.json) return printJson(context, { ok: wrong === 0, findings });
  for (const finding of findings) context.out.line(printFinding(finding, context));
  const words = wrong === 0 ? "Everything works." : `${count(wrong, "thing")} to mend.`;
  context.out.line(`\n${words}`);
}

async function findAll(context: Context, flags: ClientFlags): Promise<Finding[]> {
  const { config, finding: settings } = checkSettings(context);
  const target = findTarget(context, flags);
  const server: ServerLook =
    "finding" in target ? { up: false, findings: [target.finding] } : await checkServer(target);
  const findings = [checkRuntime(context), settings];
  // On a machine that only asks another, nothing of a server has to be in order.
  if (config && isHere(target)) {
    const runningAt = server.up && "url" in target ? target.url : undefined;
    findings.push(checkDataFolder(config.dataDir));
    findings.push(await checkPort(config, runningAt));
    const { checkDatabase } = await import("../doctor/database.ts");
    findings.push(...(await checkDatabase(config, server.up)));
  }
  return [...findings, ...server.findings];
}

type Target = ClientSettings | { finding: Finding };

function findTarget(context: Context, flags: ClientFlags): Target {
  try {
    return findSettings(flags, context.env, context.cwd);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return { finding: fail("server", error.message, "Then run the doctor again.") };
  }
}

function isHere(target: Target): boolean {
  if ("finding" in target) return true;
  try {
    return /^(localhost|127\.|\[::1\])/.test(new URL(target.url).hostname);
  } catch {
    return true;
  }
}

const MARKS: Record<Verdict, [string, Colour]> = {
  ok: ["✓", "green"],
  warn: ["!", "yellow"],
  fail: ["✗", "red"],
  skip: ["·", "dim"],
};

function printFinding({ name, verdict, found, mend }: Finding, context: Context): string {
  const paint = createPaint(context.out.colour);
  const width = Math.min(context.out.columns ?? 100, 100);
  const [mark, colour] = MARKS[verdict];
  const indent = " ".repeat(16);
  const head = `${paint(colour, mark)} ${name.padEnd(13)} ${wrap(oneLine(found), width, indent)}`;
  return mend === undefined ? head : `${head}\n${indent}${wrap(`→ ${mend}`, width, `${indent}  `)}`;
}

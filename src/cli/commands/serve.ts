/** `signalbox serve`: the server alone; workers connect from elsewhere. */
import { Command } from "commander";
import type { Context } from "../context.ts";
import { requirePort } from "../port_probe.ts";
import { readConfig, type ServerFlags, untilStopped, withServerFlags } from "../serving.ts";

export function serveCommand(context: Context): Command {
  const command = new Command("serve")
    .summary("run the server: engine, API and board")
    .description(
      "Runs the server until Ctrl-C or SIGTERM. Settings come from the environment (docs/configuration.md); without DATABASE_URL it starts a PostgreSQL of its own in the data folder.",
    )
    .action((flags: ServerFlags) => serve(context, flags));
  return withServerFlags(command).addHelpText(
    "after",
    `
Examples:
  signalbox serve
  DATABASE_URL=postgres://signalbox:secret@db/signalbox signalbox serve --port 8080`,
  );
}

async function serve(context: Context, flags: ServerFlags): Promise<void> {
  const config = readConfig(context, flags);
  await requirePort(config);
  const { startServer } = await import("../../main.ts");
  const server = await startServer(config, context.runtime);
  context.out.line(`Signalbox is ready: ${server.url}/board`);
  // In a log that others read, a link that signs in would be one too many.
  const link = context.out.terminal ? `once with: ${server.signInLink()}` : "with the admin token.";
  context.out.line(`Sign in ${link}`);
  await untilStopped(context, server);
}

/** `signalbox token`: credentials for programs, for workers and for Prometheus. */
import { Command } from "commander";
import type { Context } from "../context.ts";
import { tokenCreateCommand } from "./token_create.ts";
import { tokenListCommand } from "./token_list.ts";
import { tokenRevokeCommand } from "./token_revoke.ts";

export function tokenCommand(context: Context): Command {
  const command = new Command("token")
    .summary("make, list and revoke tokens")
    .description(
      "Tokens of an organization: for programs, workers and Prometheus. For its admins and owners, and the server's admin token.",
    )
    .addCommand(tokenCreateCommand(context))
    .addCommand(tokenListCommand(context))
    .addCommand(tokenRevokeCommand(context));
  return command.addHelpText(
    "after",
    `
Examples:
  signalbox token create --name ci --role member --expires 90d > ci-token
  signalbox token list
  signalbox token revoke 0192f0c1-7d3e-7b1a-9c55-3f0a1b2c3d4e`,
  );
}

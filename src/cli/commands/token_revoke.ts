/** `signalbox token revoke ID…`: of a program or of workers; the id says which. */
import { Argument, Command } from "commander";
import type { Token, WorkerToken } from "../../sdk/answers.ts";
import type { Client } from "../../sdk/client.ts";
import { ClientError } from "../../sdk/client_error.ts";
import { type ClientFlags, connect, printJson, withClientFlags } from "../connect.ts";
import type { Context } from "../context.ts";
import { EXIT } from "../errors.ts";
import { oneLine } from "../print/text.ts";
import { collect, parseId } from "../values.ts";

interface Flags extends ClientFlags {
  reason?: string;
}

export function tokenRevokeCommand(context: Context): Command {
  const command = new Command("revoke")
    .summary("revoke tokens")
    .description(
      "Revokes tokens: streams and workers that came with them are cut off within a second.",
    )
    .addArgument(new Argument("<id...>", "ids of tokens").argParser(collect(parseId)))
    .option("--reason <text>", "why; written into the audit log")
    .option("--json", "print JSON")
    .action((ids: string[], flags: Flags) => revokeAll(context, ids, flags));
  return withClientFlags(command).addHelpText(
    "after",
    '\nExample:\n  signalbox token revoke 0192f0c1-7d3e-7b1a-9c55-3f0a1b2c3d4e --reason "leaked"',
  );
}

async function revokeAll(context: Context, ids: string[], flags: Flags): Promise<void> {
  const client = connect(context, flags);
  const revoked: (Token | WorkerToken)[] = [];
  for (const id of ids) {
    const token = await revoke(client, id, flags.reason);
    if (token === null) {
      context.err.line(
        `${id}: ${client.org} has no such token; \`signalbox token list\` lists them.`,
      );
      context.exitCode = EXIT.failed;
      continue;
    }
    revoked.push(token);
    if (!flags.json) context.out.line(`Revoked ${token.id} "${oneLine(token.name)}".`);
  }
  if (flags.json) printJson(context, { items: revoked });
}

/** Null where it is none of the organization's, nor (as far as the caller may know) of the shared fleet. */
async function revoke(
  { tokens }: Client,
  id: string,
  reason: string | undefined,
): Promise<Token | WorkerToken | null> {
  const why = reason === undefined ? {} : { reason };
  return (
    (await orNull(tokens.revoke(id, why), [404])) ??
    (await orNull(tokens.revokeForWorkers(id, why), [404])) ??
    (await orNull(tokens.revokeForWorkers(id, { ...why, shared: true }), [403, 404]))
  );
}

async function orNull<T>(answer: Promise<T>, statuses: readonly number[]): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ClientError && statuses.includes(error.status)) return null;
    throw error;
  }
}

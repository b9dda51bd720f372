/** `signalbox token create`: the secret goes to stdout, so that it can be sent into a file, and is shown once. */
import { hostname, userInfo } from "node:os";
import { Command, Option } from "commander";
import { ROLES, type Role } from "../../core/scope.ts";
import type { MadeToken, MadeWorkerToken } from "../../sdk/answers.ts";
import type { Client } from "../../sdk/client.ts";
import { type ClientFlags, connect, printJson, withClientFlags } from "../connect.ts";
import type { Context } from "../context.ts";
import { CliError, EXIT, UsageError } from "../errors.ts";
import { oneLine } from "../print/text.ts";
import { collect, parseLabel, parseSeconds, parseWhole } from "../values.ts";

interface Flags extends ClientFlags {
  name?: string;
  role?: Role;
  expires?: number;
  metrics?: boolean;
  worker?: boolean;
  pool?: string;
  feature?: string[];
  slots?: number;
  shared?: boolean;
}

export function tokenCreateCommand(context: Context): Command {
  const command = new Command("create")
    .summary("make a token")
    .description("Makes a token and prints its secret, which the server shows this once.")
    .option("--name <name>", "what pages call it (default: you and this machine)")
    .option(
      "--expires <time>",
      "how long it holds, such as 90d (default: until revoked)",
      parseSeconds,
    )
    .addOption(new Option("--role <role>", "the most it may be (default: as you)").choices(ROLES))
    .option("--metrics", "for Prometheus: it reads /metrics and nothing else")
    .option("--json", "print JSON")
    .optionsGroup("For workers:")
    .option("--worker", "a token that workers join with")
    .option("--pool <name>", "the only pool that they may be of", parseLabel)
    .option(
      "--feature <name>",
      "a feature that they may offer; may be repeated",
      collect(parseLabel),
    )
    .option("--slots <n>", "slots that one of them may offer", parseWhole(1, 10_000))
    .option("--shared", "they work for all organizations; for superusers")
    .action((flags: Flags) => create(context, flags));
  return withClientFlags(command).addHelpText(
    "after",
    `
Examples:
  signalbox token create --name ci --role member --expires 90d > ci-token
  signalbox token create --worker --pool gpu --feature cuda --slots 4 > gpu-token
  signalbox token create --metrics > prometheus-token`,
  );
}

async function create(context: Context, flags: Flags): Promise<void> {
  checkFlags(flags);
  const client = connect(context, flags);
  const made = flags.worker ? await forWorkers(client, flags) : await forPrograms(client, flags);
  if (made.secret === null) {
    const mend = `Revoke it (signalbox token revoke ${made.id}) and make another.`;
    const message = `The token was made, but the answer with its secret was lost. ${mend}`;
    throw new CliError(message, EXIT.failed);
  }
  if (flags.json) return printJson(context, made);
  context.out.line(made.secret);
  context.err.line(`Made token ${made.id} "${oneLine(made.name)}": ${describe(made)}.`);
  context.err.line("Its secret is shown this once: keep it.");
}

/** What would be ignored is told instead. */
function checkFlags(flags: Flags): void {
  const ofWorkers = { pool: "--pool", feature: "--feature", slots: "--slots", shared: "--shared" };
  for (const [name, flag] of Object.entries(ofWorkers)) {
    if (!flags.worker && flags[name as keyof typeof ofWorkers] !== undefined) {
      throw new UsageError(`${flag} is for tokens of workers: give --worker too.`);
    }
  }
  if (flags.worker && flags.role) throw new UsageError("A worker's token has no --role.");
  if (flags.worker && flags.metrics) {
    throw new UsageError("One token is for workers or for metrics: give --worker or --metrics.");
  }
  if (flags.metrics && flags.role) {
    throw new UsageError("A token for metrics has no --role: it reads /metrics and nothing else.");
  }
}

function common({ name, expires }: Flags) {
  const expiresAt = expires === undefined ? undefined : Date.now() + expires * 1000;
  return {
    name: name ?? `${userInfo().username}@${hostname()}`.slice(0, 100),
    ...(expiresAt === undefined ? {} : { expires_at: new Date(expiresAt).toISOString() }),
  };
}

function forPrograms(client: Client, flags: Flags): Promise<MadeToken> {
  return client.tokens.create({
    ...common(flags),
    ...(flags.role ? { role: flags.role } : {}),
    ...(flags.metrics ? { purpose: "metrics" } : {}),
  });
}

function forWorkers(client: Client, flags: Flags): Promise<MadeWorkerToken> {
  const { pool, feature, slots, shared } = flags;
  const token = {
    ...common(flags),
    ...(pool ? { pool } : {}),
    ...(feature ? { features: feature } : {}),
    ...(slots ? { slots_max: slots } : {}),
  };
  return client.tokens.createForWorkers(token, { shared: shared === true });
}

function describe(made: MadeToken | MadeWorkerToken): string {
  const until = made.expires_at === null ? "until it is revoked" : `until ${made.expires_at}`;
  if (!("purpose" in made)) return `for workers of ${made.org ?? "all organizations"}, ${until}`;
  if (made.purpose === "metrics") return `for /metrics, ${until}`;
  return `${made.role ?? "as its owner"} in ${made.org}, ${until}`;
}

/** `signalbox user`: accounts of people, for superusers and the server's admin token. */
import { randomBytes } from "node:crypto";
import { Command, Option } from "commander";
import { ROLES, type Role } from "../../core/scope.ts";
import type { Person } from "../../sdk/answers.ts";
import { type ClientFlags, connect, printJson, withClientFlags } from "../connect.ts";
import type { Context } from "../context.ts";
import { createPaint } from "../print/colour.ts";
import { type Column, renderTable } from "../print/table.ts";
import { oneLine } from "../print/text.ts";

interface CreateFlags extends ClientFlags {
  email: string;
  name?: string;
  superuser?: boolean;
  role?: Role;
  password: boolean;
}

export function userCommand(context: Context): Command {
  const command = new Command("user")
    .summary("make and list accounts of people")
    .description("Accounts of people, for superusers and the server's admin token.")
    .addCommand(createCommand(context))
    .addCommand(listCommand(context));
  return command.addHelpText(
    "after",
    "\nExample:\n  signalbox user create --email ada@example.org --name 'Ada Lovelace' --role admin",
  );
}

function createCommand(context: Context): Command {
  const command = new Command("create")
    .summary("make an account")
    .description("Makes an account and prints its first password, which nobody sees again.")
    .requiredOption("--email <address>", "what they sign in with")
    .option("--name <name>", "what pages call them (default: the address up to the @)")
    .option("--superuser", "they see and may everything")
    .addOption(new Option("--role <role>", "make them a member of the organization").choices(ROLES))
    .option("--no-password", "they sign in at the OpenID Connect provider only")
    .option("--json", "print JSON")
    .action((flags: CreateFlags) => create(context, flags));
  return withClientFlags(command).addHelpText(
    "after",
    "\nExample:\n  signalbox user create --email ada@example.org --role admin",
  );
}

async function create(context: Context, flags: CreateFlags): Promise<void> {
  const { people, org } = connect(context, flags);
  const { email } = flags;
  const name = flags.name ?? email.split("@")[0]!;
  const password = flags.password ? randomBytes(15).toString("base64url") : undefined;
  const made = await people.create({
    ...{ name, email, is_superuser: flags.superuser === true },
    ...(password === undefined ? {} : { password }),
  });
  if (flags.role) await people.setRole(made.id, flags.role);
  if (flags.json) return printJson(context, { ...made, password: password ?? null });
  if (password !== undefined) context.out.line(password);
  const as = flags.role ? `, ${flags.role} of ${org}` : "";
  const rights = made.is_superuser ? ", superuser" : "";
  context.err.line(
    `Made an account for ${oneLine(made.name)} <${oneLine(made.email)}>${rights}${as}.`,
  );
  if (password === undefined) context.err.line("They sign in at the provider.");
  else context.err.line("Hand over the password, which is shown this once; they can change it.");
}

function listCommand(context: Context): Command {
  const command = new Command("list")
    .summary("list accounts")
    .description("Lists everybody with an account.")
    .option("--json", "print JSON")
    .action((flags: ClientFlags) => list(context, flags));
  return withClientFlags(command).addHelpText("after", "\nExample:\n  signalbox user list");
}

async function list(context: Context, flags: ClientFlags): Promise<void> {
  const people = await connect(context, flags).people.list();
  if (flags.json) return printJson(context, { items: people });
  if (people.length === 0) {
    const mend = "Open the one-time link of npm start, or: signalbox user create --email ADDRESS";
    return context.err.line(`Nobody has an account yet. ${mend}`);
  }
  const paint = createPaint(context.out.colour);
  context.out.line(renderTable(COLUMNS, people, context.out.columns, paint));
}

const COLUMNS: Column<Person>[] = [
  { title: "NAME", value: ({ name }) => oneLine(name), shrinkTo: 8 },
  { title: "ADDRESS", value: ({ email }) => oneLine(email), shrinkTo: 12 },
  { title: "RIGHTS", value: (row) => (row.is_superuser ? "superuser" : "by organization") },
  { title: "SINCE", value: ({ created_at: at }) => at.slice(0, 10) },
  { title: "ID", value: ({ id }) => id, shrinkTo: 8 },
];

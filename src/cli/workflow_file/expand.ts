/**
 * What a workflow file may say beyond the API's own input, and what becomes of it. Pure.
 *
 * - `run: TEXT` is the command `sh -e -c TEXT`; `command: [...]`, `env` and `stdin` stand for the
 *   same fields of `payload`.
 * - A job without `name` is named like its key; a workflow without `name` like its file.
 * - `defaults` are fields that every job has unless it says otherwise; `env` is merged.
 * - `vars` are environment variables of every `exec` job; `--var NAME=VALUE` replaces their
 *   values. Nothing is written into commands, so a value with spaces or quotes does no harm.
 */
import type { Path, Problem } from "./source.ts";

type Fields = Record<string, unknown>;

export interface Expanded {
  /** The API's input, not checked yet. */
  input: Fields;
  problems: Problem[];
  /** From a path in `input` to where the file says it. */
  toSource(path: Path): Path;
}

export interface ExpandOptions {
  /** The workflow's name where the file gives none. */
  defaultName: string;
  /** Values from the command line. */
  vars: Readonly<Record<string, string>>;
  /** The value of a declared but empty `WORKSPACE`. */
  workspace: string;
}

const SHORTHANDS = ["run", "command", "env", "stdin"] as const;
/** What a job runs is said in one of these. */
const WAYS = ["run", "command", "payload"] as const;

export function expandWorkflow(value: unknown, options: ExpandOptions): Expanded {
  const problems: Problem[] = [];
  if (!isFields(value)) {
    problems.push({ path: [], message: "a workflow is a mapping with `jobs`" });
    return { input: {}, problems, toSource: (path) => path };
  }
  const { vars: declared, defaults: given, ...rest } = value;
  const vars = resolveVars(declared, options, problems);
  const defaults = readDefaults(given, problems);
  const jobs = Array.isArray(rest.jobs) ? rest.jobs : [];
  if (!Array.isArray(rest.jobs)) {
    problems.push({ path: ["jobs"], message: "must be a list of jobs" });
  }
  const input = {
    name: options.defaultName,
    ...rest,
    jobs: jobs.map((job, at) => expandJob(job, ["jobs", at], defaults, vars, problems)),
  };
  return { input, problems, toSource: (path) => sourcePath(path, jobs, defaults) };
}

function resolveVars(
  declared: unknown,
  options: ExpandOptions,
  problems: Problem[],
): Record<string, string> {
  const out: Record<string, string> = {};
  const known = isFields(declared) ? declared : {};
  if (declared !== undefined && declared !== null && !isFields(declared)) {
    problems.push({ path: ["vars"], message: "must be a mapping of names to values" });
  }
  for (const [name, fallback] of Object.entries(known)) {
    const value =
      options.vars[name] ?? fallback ?? (name === "WORKSPACE" ? options.workspace : null);
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      problems.push({ path: ["vars", name], message: "is no name of an environment variable" });
    } else if (value === null || value === undefined) {
      problems.push({ path: ["vars", name], message: `needs a value: add --var ${name}=VALUE` });
    } else if (typeof value === "object") {
      problems.push({ path: ["vars", name], message: "must be a text or a number" });
    } else {
      out[name] = String(value);
    }
  }
  for (const name of Object.keys(options.vars)) {
    if (name in known) continue;
    const names = Object.keys(known).join(", ") || "none";
    problems.push({
      path: ["vars"],
      message: `--var ${name} is not among the file's vars (${names})`,
    });
  }
  return out;
}

function readDefaults(given: unknown, problems: Problem[]): Fields {
  if (given === undefined || given === null) return {};
  if (!isFields(given)) {
    problems.push({ path: ["defaults"], message: "must be a mapping of job fields" });
    return {};
  }
  for (const field of ["key", "depends_on"]) {
    if (field in given) {
      problems.push({ path: ["defaults", field], message: "belongs to one job, not to all" });
    }
  }
  return given;
}

function expandJob(
  job: unknown,
  path: Path,
  defaults: Fields,
  vars: Record<string, string>,
  problems: Problem[],
): unknown {
  if (!isFields(job)) return job;
  const ways = WAYS.filter((field) => job[field] !== undefined);
  const inherited = { ...defaults };
  // A job that says what it runs does not also run what the defaults say.
  if (ways.length > 0) for (const field of WAYS) delete inherited[field];
  const { run, command, env, stdin, ...rest }: Fields = { ...inherited, ...job };
  if (rest.name === undefined && rest.key !== undefined) rest.name = rest.key;
  if (rest.kind === "handler") {
    for (const field of SHORTHANDS) {
      if (field in job) {
        problems.push({ path: [...path, field], message: "is for exec jobs; use `payload`" });
      }
    }
    return rest;
  }
  if (ways.length > 1) {
    problems.push({
      path: [...path, ways[1] as string],
      message: `stands beside \`${ways[0]}\`: give one of run, command and payload`,
    });
  }
  const payload = expandPayload({ run, command, stdin, payload: rest.payload }, path, problems);
  const allEnv = {
    ...vars,
    ...asFields(defaults.env),
    ...asFields(job.env),
    ...asFields(payload.env),
  };
  if (Object.keys(allEnv).length > 0) payload.env = texts(allEnv);
  return { ...rest, payload };
}

function expandPayload(
  job: { run: unknown; command: unknown; stdin: unknown; payload: unknown },
  path: Path,
  problems: Problem[],
): Fields {
  const payload: Fields = { ...asFields(job.payload) };
  if (job.run !== undefined && job.run !== null) {
    if (typeof job.run === "string") payload.command = ["sh", "-e", "-c", job.run];
    else problems.push({ path: [...path, "run"], message: "must be a text for the shell" });
  } else if (job.command !== undefined) {
    payload.command = Array.isArray(job.command) ? job.command.map(text) : job.command;
  } else if (payload.command === undefined) {
    problems.push({ path, message: "does nothing: give it `run`, `command` or `payload`" });
    payload.command = ["true"];
  }
  if (job.stdin !== undefined) payload.stdin = job.stdin;
  return payload;
}

/** `-n 3` in a list is read as the number 3, and meant as the argument "3". */
function text(value: unknown): unknown {
  return typeof value === "number" || typeof value === "boolean" ? String(value) : value;
}

function texts(env: Fields): Fields {
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, text(value)]));
}

function sourcePath(path: Path, jobs: unknown[], defaults: Fields): Path {
  const [top, at, field, ...below] = path;
  if (top !== "jobs" || typeof at !== "number" || field === undefined) return path;
  const job = jobs[at];
  if (!isFields(job)) return path;
  if (field === "payload" && job.payload === undefined) {
    const [inner, ...rest] = below;
    if (inner === "command" && job.run !== undefined) return [top, at, "run"];
    if (inner === "env" && !(String(rest[0]) in asFields(job.env))) {
      const from = String(rest[0]) in asFields(defaults.env) ? ["defaults", "env"] : ["vars"];
      return [...from, ...rest];
    }
    return inner === undefined ? [top, at] : [top, at, inner, ...rest];
  }
  if (field === "name" && job.name === undefined) return [top, at, "key"];
  if (!(field in job) && field in defaults) return ["defaults", field, ...below];
  return path;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function asFields(value: unknown): Fields {
  return isFields(value) ? value : {};
}

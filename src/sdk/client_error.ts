/** What went wrong between a client and its server, with the server's own words where it had any. */

/** An RFC 9457 problem document, as the API answers it. */
export interface Problem {
  type?: string;
  title: string;
  status: number;
  detail?: string;
  /** For input that does not fit: where (a JSON pointer or a name), and what is wrong there. */
  errors?: { path: string; in?: string; message: string }[];
}

const ERRORS_SAID = 5;

/** A server that never answered leaves this status. */
export const UNREACHED = 0;

/**
 * Thrown by every method of the client. `status` is the HTTP status, or 0 where no answer came
 * (then `cause` holds the connection's error). `message` is a sentence fit for people.
 */
export class ClientError extends Error {
  readonly status: number;
  readonly problem: Problem | undefined;

  constructor(message: string, status: number, problem?: Problem, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "ClientError";
    this.status = status;
    this.problem = problem;
  }

  /** The server was never reached, or the connection broke before it answered. */
  get unreached(): boolean {
    return this.status === UNREACHED;
  }
}

/** Reads the problem document of a refused request; any other body becomes a short detail. */
export async function readProblem(response: Response): Promise<ClientError> {
  const text = await response.text().catch(() => "");
  const problem = parseProblem(text, response);
  return new ClientError(describeProblem(problem), response.status, problem);
}

/** The detail, then the first few errors that it does not say itself. */
function describeProblem(problem: Problem): string {
  const { detail, errors = [] } = problem;
  const unsaid = errors.filter((issue) => !detail?.includes(issue.message));
  const words = unsaid.slice(0, ERRORS_SAID).map(({ path, message }) => {
    const where = printPath(readPath(path));
    return where === "" ? message : `${where}: ${message}`;
  });
  if (unsaid.length > ERRORS_SAID) words.push(`and ${unsaid.length - ERRORS_SAID} more`);
  if (detail !== undefined) words.unshift(detail);
  return words.length > 0 ? words.join("; ") : problem.title;
}

function parseProblem(text: string, response: Response): Problem {
  const fallback = { title: response.statusText || `HTTP ${response.status}` };
  try {
    const body = JSON.parse(text) as unknown;
    if (typeof body === "object" && body !== null && "title" in body) {
      return { ...(body as Problem), status: response.status };
    }
  } catch {
    // Not JSON: a proxy's page, most likely. Its first words are better than nothing.
  }
  const words = text
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ")
    .trim();
  const detail = words.slice(0, 200) || undefined;
  return { ...fallback, status: response.status, ...(detail ? { detail } : {}) };
}

/** `["jobs", 3, "key"]` as `jobs[3].key`. */
export function printPath(path: readonly (string | number)[]): string {
  let out = "";
  for (const step of path) {
    out += typeof step === "number" ? `[${step}]` : out === "" ? step : `.${step}`;
  }
  return out;
}

/** The steps of a JSON pointer (RFC 6901), or of a plain name; whole numbers become numbers. */
export function readPath(path: string): (string | number)[] {
  if (!path.startsWith("/")) return path === "" ? [] : [path];
  const steps = path.slice(1).split("/");
  return steps.map((step) => {
    const text = step.replaceAll("~1", "/").replaceAll("~0", "~");
    return /^\d+$/.test(text) ? Number(text) : text;
  });
}

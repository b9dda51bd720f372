/** The driver's faults name codes, not what to do: one sentence for whoever set DATABASE_URL. */

/** The server that DATABASE_URL names cannot be used; the message says why and how to mend it. */
export class DatabaseUnusable extends Error {
  constructor(cause: unknown) {
    super(`The database cannot be used (${faultOf(cause)}): ${mendOf(cause)}.`, { cause });
    this.name = "DatabaseUnusable";
  }
}

/** Runs what first reaches the database. What the driver throws becomes `DatabaseUnusable`. */
export async function reachDatabase<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isDriverFault(error)) throw error;
    throw new DatabaseUnusable(error);
  }
}

/** What to do about it, without a capital and a full stop. */
export function mendOf(error: unknown): string {
  const code = codeOf(error) ?? "";
  if (code === "28P01" || code === "28000") return "correct user and password in DATABASE_URL";
  if (code === "3D000") return "create that database, or name another in DATABASE_URL";
  if (code === "42501")
    return "give its user the rights to make tables, or name another user in DATABASE_URL";
  if (code === "53300") return "let the server of DATABASE_URL take more connections";
  if (code === "57P03") return "wait until the server of DATABASE_URL has started";
  if (isBadUrl(error)) {
    return "write postgres://USER:PASSWORD@HOST:5432/DATABASE into DATABASE_URL, special characters as %40";
  }
  return "start the database, or correct host and port in DATABASE_URL";
}

/** A code, or words where there is none; never the address, which holds a password. */
function faultOf(error: unknown): string {
  const code = codeOf(error);
  if (isBadUrl(error)) return "its address is malformed";
  const said = (error as Error).message;
  // What the server itself says names its user or database.
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) && !code.startsWith("E")
    ? `${code}, ${said}`
    : (code ?? said);
}

function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : undefined;
}

function isBadUrl(error: unknown): boolean {
  const code = codeOf(error) ?? "";
  return (
    code === "ERR_INVALID_URL" ||
    code === "ERR_SOCKET_BAD_PORT" ||
    error instanceof URIError ||
    (error instanceof TypeError && /url/i.test(error.message))
  );
}

function isDriverFault(error: unknown): boolean {
  return codeOf(error) !== undefined || isBadUrl(error);
}

/** Whether a server could listen somewhere: tried, not guessed. */
import { createServer } from "node:net";
import { CliError } from "./errors.ts";
import { codeOf } from "./settings.ts";

/** The fault that listening there meets, or undefined where it works. */
export function tryListen(host: string, port: number): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", resolve);
    probe.listen({ host, port }, () => probe.close(() => resolve(undefined)));
  });
}

/** Before anything slow is started: a taken port should take no five seconds to be told. */
export async function requirePort({ host, port }: { host: string; port: number }): Promise<void> {
  const error = port === 0 ? undefined : await tryListen(host, port);
  if (error === undefined) return;
  const what =
    codeOf(error) === "EADDRINUSE"
      ? "is in use, perhaps by another Signalbox"
      : `cannot be listened on (${codeOf(error)})`;
  throw new CliError(`Port ${port} on ${host} ${what}: choose another with --port.`, 1, error);
}

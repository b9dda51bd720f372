/** The worker token that `signalbox up` keeps, for a worker that is started beside it. */
import { dirname } from "node:path";
import { secretPath } from "./secrets.ts";
import { lookUpClientFile, readTokenFile } from "./settings.ts";

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Undefined unless the worker is to connect to the very server of the nearest `client.json`, and
 * nothing else says which token to use.
 */
export function keptWorkerToken(url: string, env: Env, cwd: string): string | undefined {
  if (env.SIGNALBOX_WORKER_TOKEN) return undefined;
  try {
    const found = lookUpClientFile(env, cwd);
    if (!found || new URL(found.content.url).host !== new URL(url).host) return undefined;
    return readTokenFile(secretPath(dirname(found.path), "worker_token"));
  } catch {
    // Then there is none to be had here; the worker says how to give one.
    return undefined;
  }
}

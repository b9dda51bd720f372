/**
 * Which worker may join, where it works, and what it may offer: by the environment's worker token, or
 * by one of the database.
 */

import type { WorkerTokenRow } from "../db/statements/worker_tokens.ts";
import type { Hello } from "../messages/frames.ts";
import type { Directory } from "./directory.ts";
import type { TokenDoor } from "./token_door.ts";
import { sameSecret } from "./token_secrets.ts";
import type { Watchers } from "./watchers.ts";
import { aboveCeiling } from "./worker_ceiling.ts";

export type Offer = Pick<Hello, "pool" | "concurrency" | "features" | "kinds">;

/** What a worker's token allows. */
export interface Admission {
  /** `org` null: shared by every organization. */
  grant: { org: string | null };
  /** Why this worker may not join with this token; null where it may. */
  refusal(offer: Offer): string | null;
  /** Calls `end` with a reason, once, when the token is revoked or has expired. */
  watch(end: (message: string) => void): () => void;
}

export interface WorkerAccess {
  /** Null where this is no token. Throws TooManyAttempts. */
  admit(token: string, address?: string): Promise<Admission | null>;
}

export interface WorkerAccessParts {
  /** The environment's. */
  workerToken: string | undefined;
  door: TokenDoor<WorkerTokenRow>;
  directory: Pick<Directory, "byId" | "refresh">;
  watchers: Watchers;
  used(token: string): void;
}

/** Workers with the environment's token work for this organization. */
const ENVIRONMENT: Admission = {
  grant: { org: "default" },
  refusal: () => null,
  watch: () => () => {},
};

export function createWorkerAccess(parts: WorkerAccessParts): WorkerAccess {
  const { workerToken, door, watchers, used } = parts;

  async function nameOf(org: number): Promise<string | null> {
    const known = parts.directory.byId(org);
    if (known === undefined) await parts.directory.refresh();
    return parts.directory.byId(org)?.name ?? null;
  }

  return {
    admit: async (secret, address) => {
      if (workerToken && sameSecret(secret, workerToken)) return ENVIRONMENT;
      const token = await door.open(secret, address ?? null);
      if (token === null) return null;
      const org = token.org_id === null ? null : await nameOf(token.org_id);
      if (org === null && token.org_id !== null) return null;
      used(token.id);
      return {
        grant: { org },
        refusal: (offer) => aboveCeiling(token, offer),
        watch: (end) =>
          watchers.add({
            expiresAt: token.expires_at?.getTime() ?? null,
            holds: async () => (await door.stillOpen(secret)) !== null,
            end: () => end("This worker token was revoked or has expired."),
          }),
      };
    },
  };
}

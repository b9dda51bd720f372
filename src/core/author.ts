/** Who changes something, as phase events and the audit log name them. */

/** A person or a token. */
export interface Author {
  /** What pages show: a person's name, a token's, or "admin". */
  name: string;
  /** Id of the person; null for the admin token of the environment. */
  user: string | null;
  /** Id of the API token, where it was one. */
  token: string | null;
  /** The peer's address, as far as the server knows it. */
  address: string | null;
}

/** A name alone is the system itself, or a running job: nobody whom the audit log would ask. */
export type Actor = Author | string;

export function actorName(actor: Actor): string {
  return typeof actor === "string" ? actor : actor.name;
}

/** Tokens of an organization, and worker tokens of the shared fleet: `client.tokens`. */
import type * as answers from "./answers.ts";
import type { CallOptions, Transport } from "./transport.ts";

export interface NewToken {
  name: string;
  /** The most it may be; absent: as much as its owner. */
  role?: answers.Role;
  /** `metrics` reads `/metrics` and nothing else. Default `api`. */
  purpose?: "api" | "metrics";
  /** RFC 3339; absent: until it is revoked. */
  expires_at?: string;
}

export interface NewWorkerToken {
  name: string;
  pool?: string;
  features?: string[];
  kinds?: ("exec" | "handler")[];
  slots_max?: number;
  expires_at?: string;
}

export interface FleetOptions extends CallOptions {
  /** Of the fleet that all organizations share, instead of this organization's own. */
  shared?: boolean;
}

export class Tokens {
  readonly #transport: Transport;
  readonly #org: string;

  constructor(transport: Transport, org: string) {
    this.#transport = transport;
    this.#org = `/orgs/${encodeURIComponent(org)}`;
  }

  /** The secret is in this answer only. */
  create(token: NewToken, options: CallOptions = {}): Promise<answers.MadeToken> {
    return this.#transport.json("POST", `${this.#org}/tokens`, { ...options, body: token });
  }

  /** Newest first, revoked and expired ones too. */
  list(options: CallOptions = {}): Promise<answers.Token[]> {
    return this.#transport.all(`${this.#org}/tokens`, options);
  }

  revoke(id: string, options: CallOptions & { reason?: string } = {}): Promise<answers.Token> {
    return this.#delete(`${this.#org}/tokens`, id, options);
  }

  createForWorkers(
    token: NewWorkerToken,
    { shared, ...options }: FleetOptions = {},
  ): Promise<answers.MadeWorkerToken> {
    return this.#transport.json("POST", this.#fleet(shared), { ...options, body: token });
  }

  listForWorkers({ shared, ...options }: FleetOptions = {}): Promise<answers.WorkerToken[]> {
    return this.#transport.all(this.#fleet(shared), options);
  }

  revokeForWorkers(
    id: string,
    { shared, ...options }: FleetOptions & { reason?: string } = {},
  ): Promise<answers.WorkerToken> {
    return this.#delete(this.#fleet(shared), id, options);
  }

  #fleet(shared: boolean | undefined): string {
    return shared ? "/worker-tokens" : `${this.#org}/worker-tokens`;
  }

  #delete<T>(
    path: string,
    id: string,
    { reason, ...options }: CallOptions & { reason?: string },
  ): Promise<T> {
    const body = reason === undefined ? {} : { reason };
    return this.#transport.json("DELETE", `${path}/${encodeURIComponent(id)}`, {
      ...options,
      body,
    });
  }
}

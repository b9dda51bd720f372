/** People with an account on the server, for superusers: `client.people`. */
import type * as answers from "./answers.ts";
import type { CallOptions, Transport } from "./transport.ts";

export interface NewPerson {
  name: string;
  email: string;
  /** Absent: signs in at the provider only. */
  password?: string;
  is_superuser?: boolean;
}

export class People {
  readonly #transport: Transport;
  readonly #org: string;

  constructor(transport: Transport, org: string) {
    this.#transport = transport;
    this.#org = `/orgs/${encodeURIComponent(org)}`;
  }

  create(person: NewPerson, options: CallOptions = {}): Promise<answers.Person> {
    return this.#transport.json("POST", "/people", { ...options, body: person });
  }

  /** A role in this client's organization. */
  async setRole(id: string, role: answers.Role, options: CallOptions = {}): Promise<void> {
    const path = `${this.#org}/members/${encodeURIComponent(id)}`;
    await this.#transport.json("PUT", path, { ...options, body: { role } });
  }

  list(options: CallOptions = {}): Promise<answers.Person[]> {
    return this.#transport.all("/people", options);
  }
}

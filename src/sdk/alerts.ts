/** Alerts and silences of an organization: `client.alerts`. */
import type * as answers from "./answers.ts";
import type { CallOptions, Transport } from "./transport.ts";

type Reasoned = CallOptions & { reason?: string };

export class Alerts {
  readonly #transport: Transport;
  readonly #base: string;

  constructor(transport: Transport, org: string) {
    this.#transport = transport;
    this.#base = `/orgs/${encodeURIComponent(org)}`;
  }

  /** Those that fire first, the critical before the others. */
  list(options: CallOptions = {}): Promise<answers.Alert[]> {
    return this.#transport.all(`${this.#base}/alerts`, options);
  }

  /** When they fired and ended, newest first: one page. */
  async history(options: CallOptions & { limit?: number } = {}): Promise<answers.AlertEvent[]> {
    const { limit = 100, ...call } = options;
    const path = `${this.#base}/alerts/history`;
    const asked = { ...call, query: { limit } };
    return (await this.#transport.json<{ items: answers.AlertEvent[] }>("GET", path, asked)).items;
  }

  /** Of the organization, and (`org` null) those of the instance that can cover a job of it. */
  silences(options: CallOptions = {}): Promise<answers.Silence[]> {
    return this.#transport.all(`${this.#base}/silences`, options);
  }

  /** Nobody is told of what it covers; it is recorded all the same. */
  silence(input: answers.SilenceInput, options: CallOptions = {}): Promise<answers.Silence> {
    return this.#transport.json("POST", `${this.#base}/silences`, { ...options, body: input });
  }

  endSilence(id: string, { reason, ...options }: Reasoned = {}): Promise<answers.Silence> {
    const body = reason === undefined ? {} : { reason };
    const path = `${this.#base}/silences/${encodeURIComponent(id)}/end`;
    return this.#transport.json("POST", path, { ...options, body });
  }
}

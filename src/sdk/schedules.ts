/** Schedules of an organization: `client.schedules`. */
import type { ScheduleInput, SchedulePatch } from "../messages/schedule_input.ts";
import type * as answers from "./answers.ts";
import type { CallOptions, Transport } from "./transport.ts";

type Reasoned = CallOptions & { reason?: string };

export class Schedules {
  readonly #transport: Transport;
  readonly #base: string;

  constructor(transport: Transport, org: string) {
    this.#transport = transport;
    this.#base = `/orgs/${encodeURIComponent(org)}/schedules`;
  }

  /** By name, without what they submit in full. */
  list(options: CallOptions = {}): Promise<answers.ScheduleItem[]> {
    return this.#transport.all(this.#base, options);
  }

  get(id: string, options: CallOptions = {}): Promise<answers.Schedule> {
    return this.#transport.json("GET", this.#of(id), options);
  }

  /** Throws ClientError (422) where the name is taken or the rule is none. */
  create(input: ScheduleInput, options: Reasoned = {}): Promise<answers.Schedule> {
    return this.#act("POST", this.#base, options, input);
  }

  /** What is not named stays. */
  change(id: string, patch: SchedulePatch, options: Reasoned = {}): Promise<answers.Schedule> {
    return this.#act("PATCH", this.#of(id), options, patch);
  }

  /** What it has submitted goes on. */
  remove(id: string, options: Reasoned = {}): Promise<answers.Schedule> {
    return this.#act("DELETE", this.#of(id), options);
  }

  pause(id: string, options: Reasoned = {}): Promise<{ affected: number }> {
    return this.#act("POST", `${this.#of(id)}/pause`, options);
  }

  resume(id: string, options: Reasoned = {}): Promise<{ affected: number }> {
    return this.#act("POST", `${this.#of(id)}/resume`, options);
  }

  /** Every schedule of the organization. */
  pauseAll(options: Reasoned = {}): Promise<{ affected: number }> {
    return this.#act("POST", `${this.#base}/pause`, options);
  }

  resumeAll(options: Reasoned = {}): Promise<{ affected: number }> {
    return this.#act("POST", `${this.#base}/resume`, options);
  }

  /** One run now. Throws ClientError (409) where its overlap policy leaves that out. */
  trigger(id: string, options: Reasoned = {}): Promise<answers.TriggeredSchedule> {
    return this.#act("POST", `${this.#of(id)}/trigger`, options);
  }

  #of(id: string): string {
    return `${this.#base}/${encodeURIComponent(id)}`;
  }

  #act<T>(
    method: "POST" | "PATCH" | "DELETE",
    path: string,
    { reason, ...options }: Reasoned,
    input: object = {},
  ): Promise<T> {
    const body = reason === undefined ? input : { ...input, reason };
    return this.#transport.json(method, path, { ...options, body });
  }
}

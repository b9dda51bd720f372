/** Queues and slots of an organization as an operator has them: `client.operating`. */
import type * as answers from "./answers.ts";
import type { CallOptions, Transport } from "./transport.ts";

type Reasoned = CallOptions & { reason?: string };

export interface StopOptions extends Reasoned {
  /** Only counts. */
  dryRun?: boolean;
  /** How long it can be called off whole; 10 unless told. */
  delaySeconds?: number;
}

export interface FreeOptions extends Reasoned {
  /** The job goes back in line and no failure is counted; else it ends as cancelled. */
  requeue?: boolean;
}

export class Operating {
  readonly #transport: Transport;
  readonly #org: string;

  constructor(transport: Transport, org: string) {
    this.#transport = transport;
    this.#org = `/orgs/${encodeURIComponent(org)}`;
  }

  /** Ends what waits in a queue: nothing of it is dispatched once this has answered. */
  stopQueue(name: string, options: StopOptions = {}): Promise<answers.StoppedQueues> {
    return this.#stop(`${this.#queue(name)}/stop`, options);
  }

  /** Every queue of the organization, or those that are named: as one operation. */
  stopQueues({
    queues,
    ...options
  }: StopOptions & { queues?: readonly string[] } = {}): Promise<answers.StoppedQueues> {
    return this.#stop(`${this.#org}/queues/stop`, options, queues);
  }

  pauseQueues(options: Reasoned = {}): Promise<{ affected: number }> {
    return this.#post(`${this.#org}/queues/pause`, {}, options);
  }

  resumeQueues(options: Reasoned = {}): Promise<{ affected: number }> {
    return this.#post(`${this.#org}/queues/resume`, {}, options);
  }

  /** What is not named stays; null takes a limit away. */
  changeQueue(
    name: string,
    patch: answers.QueuePatch,
    { reason, ...options }: Reasoned = {},
  ): Promise<answers.Queue> {
    const body = { ...patch, ...(reason === undefined ? {} : { reason }) };
    return this.#transport.json("PATCH", this.#queue(name), { ...options, body });
  }

  /** Connected workers by pool, with what their slots hold. */
  async pools(options: CallOptions = {}): Promise<answers.Pool[]> {
    const page = await this.#transport.json<answers.Page<answers.Pool>>("GET", "/pools", options);
    return page.items;
  }

  /** All slots of a worker, by its `id`, idle ones too. */
  slots(worker: string, options: CallOptions = {}): Promise<answers.Slot[]> {
    return this.#transport.all(`/workers/${encodeURIComponent(worker)}/slots`, options);
  }

  /** Stops what a slot runs; with `job`, only where it still runs that (409). */
  freeSlot(
    worker: string,
    slot: number,
    { requeue, job, ...options }: FreeOptions & { job?: string } = {},
  ): Promise<{ affected: number; slot: answers.Slot }> {
    const path = `/workers/${encodeURIComponent(worker)}/slots/${slot}/free`;
    return this.#post(path, { requeue, job }, options);
  }

  /** Every slot that runs a job of the organization. */
  freeSlots({ requeue, ...options }: FreeOptions & { dryRun?: boolean } = {}): Promise<{
    affected: number;
  }> {
    const { dryRun, ...call } = options;
    return this.#post(`${this.#org}/slots/free`, { requeue, dry_run: dryRun }, call);
  }

  #queue(name: string): string {
    return `${this.#org}/queues/${encodeURIComponent(name)}`;
  }

  #stop(
    path: string,
    { dryRun, delaySeconds, ...options }: StopOptions,
    queues?: readonly string[],
  ) {
    const body = { dry_run: dryRun, delay_seconds: delaySeconds, queues };
    return this.#post<answers.StoppedQueues>(path, body, options);
  }

  #post<T>(path: string, body: object, { reason, ...options }: Reasoned): Promise<T> {
    return this.#transport.json("POST", path, { ...options, body: { ...body, reason } });
  }
}

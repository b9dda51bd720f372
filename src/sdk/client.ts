/**
 * The API as an object, for apps and for the command line.
 *
 *     const client = new Client({ url: "http://127.0.0.1:4600", token });
 *     const { id } = await client.submit({ name: "hello", payload: { command: ["echo", "hi"] } });
 *     const job = await client.wait(id);
 *
 * Every method takes an AbortSignal, throws ClientError, and repeats itself while the server is
 * away (see transport.ts). It needs `fetch` and nothing else: Bun, Deno, Node 20 or a browser.
 */
import { isFinal } from "../core/job_state.ts";
import type { JobInput, WorkflowInput, WorkflowJobInput } from "../messages/job_input.ts";
import type * as answers from "./answers.ts";
import { pause } from "./backoff.ts";
import { ClientError } from "./client_error.ts";
import { followLog, type LogEvent, type ReadLog, readLog } from "./job_log.ts";
import { Operating } from "./operating.ts";
import { People } from "./people.ts";
import { Schedules } from "./schedules.ts";
import { Tokens } from "./tokens.ts";
import { type CallOptions, type Query, Transport, type TransportOptions } from "./transport.ts";

export interface ClientOptions extends TransportOptions {
  /** The organization that jobs are submitted to and listed from. */
  org?: string;
}

/** The most jobs of one bulk request. */
const BULK_MAX = 10_000;
const POLL_FIRST_MS = 100;
const POLL_MAX_MS = 1_000;

export interface WaitOptions extends CallOptions {
  /** Called with the job as it was seen at each look. */
  onChange?: (job: answers.Job) => void;
}

export class Client {
  readonly org: string;
  readonly url: string;
  readonly tokens: Tokens;
  readonly schedules: Schedules;
  /** Stops queues, limits them, frees slots. */
  readonly operating: Operating;
  /** For superusers. */
  readonly people: People;
  readonly #transport: Transport;

  /** Throws TypeError for an address or a token that can be none. */
  constructor(options: ClientOptions) {
    this.#transport = new Transport(options);
    this.url = this.#transport.url;
    this.org = options.org ?? "default";
    this.tokens = new Tokens(this.#transport, this.org);
    this.schedules = new Schedules(this.#transport, this.org);
    this.operating = new Operating(this.#transport, this.org);
    this.people = new People(this.#transport, this.org);
  }

  // Submitting

  /** The job; the existing one where `dedupe_key` names a job that has not ended. */
  submit(job: JobInput, options: CallOptions = {}): Promise<answers.Job> {
    return this.#post(this.#ofOrg("/jobs"), job, options);
  }

  /** Ids in the order of the jobs. All or nothing, at most 10,000. */
  async submitMany(jobs: readonly JobInput[], options: CallOptions = {}): Promise<string[]> {
    if (jobs.length === 0) return [];
    if (jobs.length > BULK_MAX) {
      throw new RangeError(`${jobs.length} jobs are too many for one call: send ${BULK_MAX}.`);
    }
    const path = this.#ofOrg("/jobs/bulk");
    return (await this.#post<{ ids: string[] }>(path, { jobs }, options)).ids;
  }

  /** Submits jobs that depend on each other. A cycle or an unknown key is refused (422). */
  workflow(input: WorkflowInput, options: CallOptions = {}): Promise<answers.SubmittedWorkflow> {
    return this.#post(this.#ofOrg("/workflows"), input, options);
  }

  /** Adds jobs to an open workflow; `close` says that no more will follow. */
  addToWorkflow(
    id: string,
    jobs: readonly WorkflowJobInput[],
    options: CallOptions & { close?: boolean } = {},
  ): Promise<answers.SubmittedWorkflow> {
    const { close, ...call } = options;
    return this.#post(`/workflows/${seg(id)}/jobs`, { jobs, ...(close ? { close } : {}) }, call);
  }

  // Reading

  job(id: string, options: CallOptions = {}): Promise<answers.Job> {
    return this.#get(`/jobs/${seg(id)}`, {}, options);
  }

  /** Every job that matches, without payload and result, newest first, read page by page as they are asked for. */
  async *jobs(
    filter: answers.JobFilter = {},
    options: CallOptions & { pageSize?: number } = {},
  ): AsyncGenerator<answers.JobSummary, void, void> {
    let cursor: string | undefined;
    do {
      const page = await this.jobsPage(filter, { ...options, cursor });
      yield* page.items;
      cursor = page.next_cursor ?? undefined;
    } while (cursor !== undefined);
  }

  /** One page: at most `pageSize` (1000) jobs, and the cursor of the next page. */
  jobsPage(
    filter: answers.JobFilter = {},
    options: CallOptions & { cursor?: string; pageSize?: number } = {},
  ): Promise<answers.Page<answers.JobSummary>> {
    const { cursor, pageSize, ...call } = options;
    const query = { ...filterQuery(filter), cursor, limit: pageSize };
    return this.#get(this.#ofOrg("/jobs"), query, call);
  }

  /** Oldest first; the living one last. */
  attempts(id: string, options: CallOptions = {}): Promise<answers.Attempt[]> {
    return this.#transport.all(`/jobs/${seg(id)}/attempts`, options);
  }

  /** Every phase it entered, oldest first. */
  events(id: string, options: CallOptions = {}): Promise<answers.PhaseEvent[]> {
    return this.#transport.all(`/jobs/${seg(id)}/events`, options);
  }

  /** Why a job waits, or why it went where it went. */
  explain(
    id: string,
    options: CallOptions & { attempt?: number } = {},
  ): Promise<answers.Explanation> {
    const { attempt, ...call } = options;
    return this.#get(`/jobs/${seg(id)}/explain`, { attempt }, call);
  }

  /**
   * What the job wrote: as one text, or with `follow` piece by piece until the job has ended (with
   * `attempt`: until that has). A follower survives a server that restarts and repeats no byte.
   */
  log(id: string, options: ReadLog & { follow: true }): AsyncGenerator<string, void, void>;
  log(id: string, options?: ReadLog & { follow?: false }): Promise<string>;
  log(
    id: string,
    options: ReadLog & { follow?: boolean } = {},
  ): Promise<string> | AsyncGenerator<string, void, void> {
    const { follow, ...rest } = options;
    return follow ? textOf(this.follow(id, rest)) : readLog(this.#transport, id, rest);
  }

  /** Like `log` with `follow`, and tells where attempts begin and how the last one ended. */
  follow(id: string, options: ReadLog = {}): AsyncGenerator<LogEvent, void, void> {
    return followLog(this.#transport, id, options);
  }

  /** With its jobs by key, at most `pageSize` (1000) of them; `next_cursor` gives the rest. */
  workflowById(
    id: string,
    options: CallOptions & { cursor?: string; pageSize?: number } = {},
  ): Promise<answers.Workflow> {
    const { cursor, pageSize, ...call } = options;
    return this.#get(`/workflows/${seg(id)}`, { cursor, limit: pageSize }, call);
  }

  workers(options: CallOptions = {}): Promise<answers.Worker[]> {
    return this.#transport.all(this.#ofOrg("/workers"), options);
  }

  queues(options: CallOptions = {}): Promise<answers.Queue[]> {
    return this.#transport.all(this.#ofOrg("/queues"), options);
  }

  /** The progress of something that touches many rows. */
  operation(id: string, options: CallOptions = {}): Promise<answers.Operation> {
    return this.#get(`/operations/${seg(id)}`, {}, options);
  }

  /** Calls it off where it has not begun, else stops it. Throws ClientError (409) once it is over. */
  undoOperation(
    id: string,
    options: CallOptions & { reason?: string } = {},
  ): Promise<answers.Operation> {
    return this.#act(`/operations/${seg(id)}/undo`, options);
  }

  // Waiting

  /** Resolves with the job once it has ended, however it ended. */
  async wait(id: string, options: WaitOptions = {}): Promise<answers.Job> {
    const { onChange, ...call } = options;
    for (let delayMs = POLL_FIRST_MS; ; delayMs = Math.min(POLL_MAX_MS, delayMs * 1.5)) {
      const job = await this.job(id, call);
      onChange?.(job);
      if (isFinal(job.state)) return job;
      await pause(delayMs, call.signal);
    }
  }

  // Changing

  /** A waiting job is cancelled at once; a running one is asked, and ends when its worker says so. */
  cancel(id: string, options: CallOptions & { reason?: string } = {}): Promise<answers.Job> {
    return this.#act(`/jobs/${seg(id)}/cancel`, options);
  }

  /** Takes a job that ended badly back to `queued`, with those that it had kept from running. */
  retry(id: string, options: CallOptions & { reason?: string } = {}): Promise<answers.Job> {
    return this.#act(`/jobs/${seg(id)}/retry`, options);
  }

  /** Of `affected`, `pending` waited and are cancelled; `running` are asked to leave their slots. */
  cancelWorkflow(
    id: string,
    options: CallOptions & { reason?: string } = {},
  ): Promise<{ affected: number; pending: number; running: number }> {
    return this.#act(`/workflows/${seg(id)}/cancel`, options);
  }

  /** Cancels all that match, in the background: see `operation`. `dryRun` only counts. */
  cancelMatching(filter: answers.BulkFilter, options: MatchingOptions = {}): Promise<answers.Bulk> {
    return this.#actOnMatching("cancel", filter, options);
  }

  retryMatching(filter: answers.BulkFilter, options: MatchingOptions = {}): Promise<answers.Bulk> {
    return this.#actOnMatching("retry", filter, options);
  }

  /** From a paused queue nothing is dispatched; what runs, runs on. `affected` 0: it was so already. */
  pauseQueue(name: string, options: CallOptions & { reason?: string } = {}) {
    return this.#act<{ affected: number }>(this.#ofOrg(`/queues/${seg(name)}/pause`), options);
  }

  resumeQueue(name: string, options: CallOptions & { reason?: string } = {}) {
    return this.#act<{ affected: number }>(this.#ofOrg(`/queues/${seg(name)}/resume`), options);
  }

  /** Asks a connected worker to finish what it holds, take nothing new, and leave. By its `id`. */
  async drainWorker(id: string, options: CallOptions & { reason?: string } = {}): Promise<void> {
    await this.#act(`/workers/${seg(id)}/drain`, options);
  }

  // Asking the server

  /** Asks once, without patience. Throws ClientError where the server cannot be reached. */
  async ready(options: CallOptions = {}): Promise<answers.Readiness> {
    const response = await this.#transport.once("GET", "/readyz", options);
    try {
      return (await response.json()) as answers.Readiness;
    } catch (error) {
      const message = `${this.url} answers ${response.status} to /readyz: is it a Signalbox server?`;
      throw new ClientError(message, response.status, undefined, error);
    }
  }

  #ofOrg(path: string): string {
    return `/orgs/${seg(this.org)}${path}`;
  }

  #get<T>(path: string, query: Query, options: CallOptions): Promise<T> {
    return this.#transport.json<T>("GET", path, { ...options, query });
  }

  #post<T>(path: string, body: unknown, options: CallOptions): Promise<T> {
    return this.#transport.json<T>("POST", path, { ...options, body });
  }

  #act<T>(path: string, options: CallOptions & { reason?: string }): Promise<T> {
    const { reason, ...call } = options;
    return this.#post(path, reason === undefined ? {} : { reason }, call);
  }

  #actOnMatching(
    verb: "cancel" | "retry",
    filter: answers.BulkFilter,
    options: MatchingOptions,
  ): Promise<answers.Bulk> {
    const { reason, dryRun, delaySeconds, ...call } = options;
    const body = {
      filter: filterBody(filter),
      ...(reason === undefined ? {} : { reason }),
      ...(dryRun === undefined ? {} : { dry_run: dryRun }),
      ...(delaySeconds === undefined ? {} : { delay_seconds: delaySeconds }),
    };
    return this.#post(this.#ofOrg(`/jobs/${verb}`), body, call);
  }
}

export interface MatchingOptions extends CallOptions {
  reason?: string;
  dryRun?: boolean;
  /** Begins so much later, and can be undone whole until then. */
  delaySeconds?: number;
}

async function* textOf(events: AsyncGenerator<LogEvent>): AsyncGenerator<string, void, void> {
  for await (const event of events) if (event.type === "log") yield event.text;
}

/** One step of a path; an id made of slashes or dots must not lead elsewhere. */
function seg(text: string): string {
  if (/^\.{0,2}$/.test(text)) throw new TypeError(`"${text}" is no id and no name.`);
  return encodeURIComponent(text);
}

function filterQuery(filter: answers.JobFilter): Query {
  const { tags, ...rest } = filter;
  const tag = Object.entries(tags ?? {}).map(([name, value]) => `${name}:${value}`);
  return { ...rest, ...(tag.length > 0 ? { tag } : {}) };
}

function filterBody(filter: answers.BulkFilter): Record<string, unknown> {
  const { tags, ...rest } = filter;
  return { ...rest, ...(tags ? { tag: tags } : {}) };
}

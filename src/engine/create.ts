/** Puts the engine together: every part once, in the order in which they need each other. */
import { type Actor, actorName } from "../core/author.ts";
import type { Database } from "../db/client.ts";
import type { EndedRow } from "../db/statements/end_jobs.ts";
import type { ReadyRow } from "../db/statements/ready_rows.ts";
import { ensureDrainingRow } from "../db/statements/switches.ts";
import { Actions } from "./actions.ts";
import { createAlerts } from "./alerts/create.ts";
import { createChores } from "./background/chores.ts";
import { Bus } from "./bus.ts";
import { Clock } from "./clock.ts";
import { type EngineContext, type Log, withRecords } from "./context.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { Ender, type EnderListener } from "./ender.ts";
import type { Engine } from "./engine.ts";
import { Explainer } from "./explainer.ts";
import { FeedReader } from "./feed_reader.ts";
import { Histories } from "./histories.ts";
import {
  createCanceller,
  createStrayCatcher,
  createSweeper,
  createTimekeeper,
  Settler,
} from "./housekeeping.ts";
import { Keeper } from "./keeping/keeping.ts";
import type { Lease } from "./lease.ts";
import { Batches } from "./leases/batches.ts";
import { giveBack, giveUp } from "./leases/giving_back.ts";
import type { Lines } from "./lines.ts";
import { Names } from "./names.ts";
import { Operations } from "./operations.ts";
import { Bulk } from "./operator/bulk.ts";
import { DrainReset } from "./operator/drain_reset.ts";
import { DEFAULT_OPTIONS, type EngineOptions } from "./options.ts";
import { createDispatching } from "./parts/dispatching.ts";
import { createOperating, type Operating } from "./parts/operating.ts";
import { wakeUp } from "./parts/waking.ts";
import { Replicas, type Wake } from "./replicas.ts";
import { Rescuer } from "./rescuer.ts";
import { Aggregator } from "./rollups/aggregator.ts";
import { Sampler } from "./rollups/sampler.ts";
import { Windows } from "./rollups/windows.ts";
import { createSchedules } from "./schedules/create.ts";
import type { Service } from "./service.ts";
import type { Session } from "./session.ts";
import type { SessionHost } from "./session_host.ts";
import { Sessions } from "./sessions.ts";
import { Stager } from "./stager.ts";
import { answerSubmit } from "./submit/answer_submit.ts";
import { Submission } from "./submit/submission.ts";
import { Workflows } from "./submit/workflows.ts";
import type { Switches } from "./switches.ts";
import { warmUp } from "./warm_up.ts";

export function createEngine(
  database: Database,
  log: Log,
  options: Partial<EngineOptions> = {},
): Engine {
  return new SignalboxEngine(database, log, { ...DEFAULT_OPTIONS, ...options });
}

class SignalboxEngine implements Engine, SessionHost {
  readonly context: EngineContext;
  readonly ender: Ender;
  readonly feed: FeedReader;
  readonly rollups: Aggregator;
  readonly keeping: Keeper;
  readonly bulk: Bulk;
  readonly operating: Operating;
  readonly schedules: ReturnType<typeof createSchedules>;
  readonly alerts: ReturnType<typeof createAlerts>;
  readonly #sampler: Sampler;
  readonly #clock: Clock;
  readonly #histories: Histories;
  readonly #windows: Windows;
  readonly #lines: Lines;
  readonly #switches: Switches;
  readonly #sessions: Sessions;
  readonly #dispatcher: Dispatcher;
  readonly #settler: Settler;
  readonly #submission: Submission;
  readonly #workflows: Workflows;
  readonly #actions: Actions;
  readonly #operations: Operations;
  readonly #replicas: Replicas;
  readonly #batches: Batches;
  readonly emptied: SessionHost["emptied"] = (batch) => this.#batches.emptied(batch);
  readonly #explainer: Explainer;
  readonly #services: Service[];
  #offers: Promise<void> = Promise.resolve();

  constructor(database: Database, log: Log, options: EngineOptions) {
    const bus = new Bus((error) => log.error({ error: String(error) }, "a listener failed"));
    this.#clock = new Clock(database.side);
    const names = new Names(database.side);
    const common = { options, database, clock: this.#clock, bus, names, log };
    this.context = withRecords(common);
    const { context } = this;
    const ends: EnderListener = {
      ready: (rows: ReadyRow[]) => this.#ready(rows),
      ended: (rows: EndedRow[], leases: Parameters<typeof this.ended>[1]) =>
        this.ended(rows, leases),
    };
    this.ender = new Ender(context, ends);
    this.feed = new FeedReader(context);
    this.#histories = new Histories(context);
    this.#windows = new Windows(context);
    const dispatching = createDispatching(context, {
      histories: this.#histories,
      windows: this.#windows,
      host: {
        giveBack: (session, lease) => this.giveBack(session, lease),
        doubt: (sessions) => this.#sessions.doubt(sessions),
        backlog: () => this.ender.size,
        unsendable: (session, lease, why) => giveUp(this, session, lease, why),
      },
    });
    this.#switches = dispatching.switches;
    this.#lines = dispatching.lines;
    this.#dispatcher = dispatching.dispatcher;
    const joined = (session: Session) => this.#lines.join(session);
    const left = (session: Session) => this.#lines.leave(session);
    this.#sessions = new Sessions(context, { ...ends, joined, left });
    this.#settler = new Settler(context);
    this.#submission = new Submission(context, this.#histories, ({ ready }) => {
      this.#ready(ready);
      bus.tell("events.committed", {});
    });
    this.#workflows = new Workflows(context, this.#submission, (id) => this.#settler.look(id));
    this.#actions = new Actions(context, ends);
    this.#operations = new Operations(context, this.#actions);
    this.schedules = createSchedules(context, this.#submission, this.#actions);
    this.alerts = createAlerts(context);
    this.operating = createOperating(context, {
      switched: () => this.#switched(),
      begun: () => this.#operations.poke(),
    });
    this.#actions.onOperation = () => this.#operations.poke();
    this.bulk = new Bulk(context, () => this.#operations.poke());
    this.#actions.onCancelled = (id) => this.#settler.look(id);
    this.#replicas = new Replicas(context, {
      share: (share) => {
        this.#lines.share = share;
      },
      wake: (wake) => this.#wake(wake),
    });
    this.#explainer = new Explainer(context, {
      sessions: this.#sessions,
      switches: this.#switches,
      histories: this.#histories,
      view: this.#dispatcher.view,
    });
    this.#batches = new Batches(context);
    this.#sampler = new Sampler(context, () => this.#sessions.all());
    this.rollups = new Aggregator(context);
    this.keeping = new Keeper(context);
    this.#services = this.#assemble(ends);
  }

  /** Every part with a life of its own, in the order in which they start. */
  #assemble(ends: EnderListener): Service[] {
    const { context } = this;
    return [
      this.#replicas,
      this.#switches,
      new DrainReset(context, () => this.#switched()),
      this.#histories,
      this.#windows,
      this.feed,
      this.#sessions,
      this.#dispatcher,
      this.#settler,
      new Stager(context, (rows) => this.#ready(rows)),
      new Rescuer(context, ends, {
        heard: () => this.#sessions.heard(),
        lapsed: (session) => this.#lapsed(session),
      }),
      this.#batches,
      ...createChores(context),
      createCanceller(context, this.#sessions),
      createStrayCatcher(context, this.#sessions, this.#lines, (session, lease) =>
        this.giveBack(session, lease),
      ),
      createSweeper(context, this.#lines, () => this.#dispatcher.poke()),
      createTimekeeper(context, this.#clock),
      this.#sampler,
      this.rollups,
      this.keeping,
      this.#operations,
      this.schedules,
      this.alerts,
    ];
  }

  get background(): Engine["background"] {
    const { runs, expectations, options } = this.context;
    return { runs, expectations, rollupIntervalSeconds: options.rollupIntervalSeconds };
  }

  get replicaId(): string {
    return this.context.replicaId;
  }

  get names(): Names {
    return this.context.names;
  }

  now(): number {
    return this.#clock.now();
  }

  // Life

  async start(): Promise<void> {
    await this.#clock.measure();
    await ensureDrainingRow(this.context.database.beats);
    await this.#switches.refresh();
    await warmUp(this.context.database);
    for (const service of this.#services) await service.start();
  }

  async stop(): Promise<void> {
    const { log } = this.context;
    await Promise.all([this.#dispatcher.stop(), this.#submission.stop()]);
    // Ends in flight are written; what comes later, workers keep and repeat elsewhere.
    let timer: ReturnType<typeof setTimeout> | undefined;
    const patience = new Promise((done) => {
      timer = setTimeout(done, 5_000);
    });
    await Promise.race([this.ender.idle(), patience]);
    clearTimeout(timer);
    for (const service of [...this.#services].reverse()) {
      try {
        await service.stop();
      } catch (error) {
        log.warn({ service: service.name, error: String(error) }, "a part did not stop cleanly");
      }
    }
    this.ender.stop();
  }

  // What the parts tell each other

  #ready(rows: ReadyRow[]): void {
    const ready = rows.filter((r) => r.state === "ready");
    if (ready.length === 0) return;
    const shapes = [...new Set(ready.map((r) => r.shape_id))];
    // In order: an offer loads names and must not overtake the one before it.
    this.#offers = this.#offers
      .then(() => this.#lines.offer(ready))
      .catch((error) => {
        this.context.log.warn({ error: String(error) }, "ready jobs wait for the next sweep");
      })
      .then(() => this.#dispatcher.poke());
    this.context.bus.tell("jobs.ready", { shapes });
  }

  ended(rows: EndedRow[], leases: { lease: Lease; end: Parameters<Histories["add"]>[1] }[]): void {
    for (const { lease, end } of leases) {
      this.#histories.add(lease.name, end);
      this.#lines.keys.freed(lease.queue, lease.key);
    }
    this.#settler.ended(rows.filter((r) => r.has_workflow).map((r) => r.id));
    this.#dispatcher.queueFreed(rows.map((r) => r.queue_id));
    this.#dispatcher.poke();
  }

  #wake(wake: Wake): void {
    wakeUp(wake, {
      ...{ context: this.context, feed: this.feed, schedules: this.schedules, alerts: this.alerts },
      ...{ switches: this.#switches, lines: this.#lines, dispatcher: this.#dispatcher },
    });
  }

  #lapsed(session: number): void {
    this.#sessions.get(session)?.end("lapsed", "No heartbeat in time; connect again.");
  }

  giveBack(session: Session, lease: Lease): void {
    giveBack(this, session, lease);
  }

  // What sessions ask

  joined(session: Session, hello: Parameters<Sessions["joined"]>[1]): void {
    this.#sessions.joined(session, hello);
    this.#dispatcher.poke();
  }

  freed(): void {
    this.#dispatcher.poke();
  }

  beat(session: Session): void {
    this.#sessions.beat(session);
  }

  acknowledged(_session: Session, leases: Lease[]): void {
    this.#sessions.acknowledged(leases);
  }

  progressed(lease: Lease): void {
    this.#sessions.progressed(lease);
  }

  draining(session: Session): void {
    this.#sessions.draining(session).catch((error) => {
      this.context.log.warn({ error: String(error) }, "a draining worker was not noted");
    });
  }

  left(session: Session, reason: string): void {
    this.#sessions.left(session, reason);
  }

  submit(...[session, lease, frame]: Parameters<SessionHost["submit"]>): Promise<void> {
    return answerSubmit(this.context, this.#workflows, { session, lease, frame });
  }

  // The front door

  connectWorker(...[hello, grant, link]: Parameters<Engine["connectWorker"]>) {
    return this.#sessions.connect(this, hello, grant, link);
  }

  submitJobs(...[org, jobs, actor, receipt]: Parameters<Engine["submitJobs"]>) {
    return this.#submission.submitJobs(org, jobs, actorName(actor), receipt);
  }

  submitWorkflow(...[org, input, actor, receipt]: Parameters<Engine["submitWorkflow"]>) {
    return this.#workflows.submit(org, input, actorName(actor), receipt);
  }

  addToWorkflow(...[id, jobs, { close }, actor, receipt]: Parameters<Engine["addToWorkflow"]>) {
    return this.#workflows.add(id, jobs, { close: close ?? false, receipt }, actorName(actor));
  }

  cancelJob(id: string, actor: Actor, reason?: string) {
    return this.#actions.cancelJob(id, actor, reason ?? null);
  }

  retryJob(id: string, actor: Actor, reason?: string) {
    return this.#actions.retryJob(id, actor, reason ?? null);
  }

  cancelWorkflow(id: string, actor: Actor, reason?: string) {
    return this.#actions.cancelWorkflow(id, actor, reason ?? null);
  }

  pauseQueue(...[org, queue, actor, reason]: Parameters<Engine["pauseQueue"]>) {
    return this.operating.controls.pauseQueue(org, queue, actor, reason);
  }

  resumeQueue(...[org, queue, actor, reason]: Parameters<Engine["resumeQueue"]>) {
    return this.operating.controls.resumeQueue(org, queue, actor, reason);
  }

  setDraining(...[enabled, actor, reason]: Parameters<Engine["setDraining"]>) {
    return this.operating.controls.setDraining(enabled, actor, reason);
  }

  drainWorker(...[uid, actor, reason]: Parameters<Engine["drainWorker"]>) {
    return this.operating.controls.drainWorker(uid, actor, reason);
  }

  sample(at: number) {
    return this.#sampler.look(at);
  }

  explain(id: string, attempt?: number) {
    return this.#explainer.explain(id, attempt);
  }

  async #switched(): Promise<void> {
    await this.#switches.refresh();
    this.context.bus.tell("switches.changed", {});
    this.#dispatcher.poke();
  }
}

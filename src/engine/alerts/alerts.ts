/** Alerts as people operate them: silences, channels, limits. Each change with its audit row. */
import { isIP } from "node:net";
import { v7 as uuidv7 } from "uuid";
import type { Rule, RuleName } from "../../core/alerts/rules.ts";
import { type Actor, actorName } from "../../core/author.ts";
import type { Transaction } from "../../db/client.ts";
import {
  type ChannelRow,
  changeChannel,
  countChannels,
  insertChannel,
  isChannelNameTaken,
  lockChannel,
  readChannel,
  removeChannel,
} from "../../db/statements/alerts/channels.ts";
import {
  countLimits,
  type LimitRow,
  lockLimit,
  removeLimit,
  writeLimit,
} from "../../db/statements/alerts/limits.ts";
import { endSilence, insertSilence, lockSilence } from "../../db/statements/alerts/silences.ts";
import type { EngineContext } from "../context.ts";
import { InvalidInput, NotFound } from "../engine.ts";
import { audit } from "../operator/audit.ts";
import { transact } from "../pipeline.ts";
import type { Service } from "../service.ts";
import type { Evaluator, Evidence } from "./evaluator.ts";
import {
  type ParsedChannelInput,
  type ParsedChannelPatch,
  type ParsedRuleInput,
  type ParsedSilenceInput,
  SILENCE_MAX_DAYS,
  strangeLimits,
} from "./input.ts";
import type { Messenger } from "./messenger.ts";
import { isPublicAddress } from "./send/addresses.ts";
import { type SendSettings, type Sent, send } from "./send/send.ts";
import { makeSecret } from "./send/signature.ts";
import type { Standing, StandingAlert } from "./standing.ts";

/** What the engine's front door shows. `org` null: of the whole instance. Throws NotFound, InvalidInput. */
export interface Alerts {
  silence(org: number | null, input: ParsedSilenceInput, actor: Actor): Promise<string>;
  /** False where it was over. */
  endSilence(id: string, actor: Actor, reason?: string): Promise<boolean>;
  /** `secret`: shown this once. `isTrusted`: a superuser, whose addresses may be private ones. */
  createChannel(
    org: number | null,
    input: ParsedChannelInput,
    by: { actor: Actor; isTrusted: boolean },
  ): Promise<{ id: string; secret: string | null }>;
  changeChannel(
    id: string,
    patch: ParsedChannelPatch,
    by: { actor: Actor; isTrusted: boolean },
  ): Promise<void>;
  removeChannel(id: string, actor: Actor, reason?: string): Promise<void>;
  /** One message now, tried once. */
  testChannel(id: string, actor: Actor): Promise<Sent>;
  setRule(org: number, rule: RuleName, input: ParsedRuleInput, actor: Actor): Promise<void>;
  /** What fires, as this server saw it some seconds ago: asks nothing of the database. */
  standing(): readonly StandingAlert[];
  /** What the rule says of these names (ids) now, of whatever organization; nothing is decided. */
  evidence(rule: Rule, names: readonly number[]): Promise<Evidence[]>;
  /** One look at everything; null where another server leads. */
  beat(now?: number): Promise<number | null>;
  /** Sends what is due; how many messages were tried. */
  deliver(): Promise<number>;
}

const CHANNELS_MAX = 100;
const LIMITS_MAX = 500;
const DAY_MS = 86_400_000;

export interface AlertParts {
  evaluator: Evaluator;
  messenger: Messenger;
  standing: Standing;
  settings: SendSettings;
}

export class AlertKeeper implements Alerts, Service {
  readonly name = "alerts";
  readonly #context: EngineContext;
  readonly #parts: AlertParts;

  constructor(context: EngineContext, parts: AlertParts) {
    this.#context = context;
    this.#parts = parts;
    context.bus.on("alerts.changed", () => this.poke());
  }

  start(): void {
    const { evaluator, messenger, standing } = this.#parts;
    standing.start();
    evaluator.start();
    messenger.start();
  }

  async stop(): Promise<void> {
    const { evaluator, messenger, standing } = this.#parts;
    await Promise.all([evaluator.stop(), messenger.stop(), standing.stop()]);
  }

  /** Something changed, here or on another server. */
  poke(): void {
    this.#parts.messenger.poke();
    this.#parts.standing.poke();
  }

  standing(): readonly StandingAlert[] {
    return this.#parts.standing.all;
  }

  evidence(rule: Rule, names: readonly number[]): Promise<Evidence[]> {
    return this.#parts.evaluator.evidence(rule, names);
  }

  beat(now?: number): Promise<number | null> {
    return this.#parts.evaluator.beat(now);
  }

  deliver(): Promise<number> {
    return this.#parts.messenger.pass();
  }

  // Silences

  async silence(org: number | null, input: ParsedSilenceInput, actor: Actor): Promise<string> {
    const at = this.#at();
    const { startsAt, endsAt } = spanOf(input, at);
    const id = uuidv7();
    const { rule, job_name: jobName, reason } = input;
    await this.#change(async (tx) => {
      await insertSilence(tx, {
        ...{ id, org, rule, jobName, startsAt, endsAt, reason, at, by: actorName(actor) },
      });
      const after = { rule, job_name: jobName, starts_at: iso(startsAt), ends_at: iso(endsAt) };
      const entry = { org, action: "silence.create", objectKind: "silence", objectId: id };
      await audit(tx, actor, { ...entry, reason, after });
    });
    return id;
  }

  endSilence(id: string, actor: Actor, reason?: string): Promise<boolean> {
    return this.#change(async (tx) => {
      const row = await lockSilence(tx, id);
      if (row === null) throw new NotFound(`There is no silence ${id}.`);
      const at = this.#at();
      if (row.endsAt <= at) return false;
      await endSilence(tx, id, { at, by: actorName(actor) });
      await audit(tx, actor, {
        ...{ org: row.org, action: "silence.end", objectKind: "silence", objectId: id },
        ...{
          reason: reason ?? null,
          before: { ends_at: iso(row.endsAt) },
          after: { ends_at: iso(at) },
        },
      });
      return true;
    });
  }

  // Channels

  async createChannel(
    org: number | null,
    input: ParsedChannelInput,
    { actor, isTrusted }: { actor: Actor; isTrusted: boolean },
  ): Promise<{ id: string; secret: string | null }> {
    this.#refusePrivate(input.url, isTrusted);
    const id = uuidv7();
    const secret = input.kind === "webhook" ? makeSecret() : null;
    const row: ChannelRow = { ...input, id, org_id: org, secret, may_be_private: isTrusted };
    await this.#change(async (tx) => {
      if ((await countChannels(tx, org)) >= CHANNELS_MAX) {
        throw new InvalidInput(`There are ${CHANNELS_MAX} channels already: remove one first.`);
      }
      const by = { at: this.#at(), by: actorName(actor) };
      if (!(await insertChannel(tx, row, by))) throw nameTaken(row.name);
      await this.#auditChannel(tx, actor, "create", row, { after: told(row) });
    });
    return { id, secret };
  }

  changeChannel(
    id: string,
    patch: ParsedChannelPatch,
    { actor, isTrusted }: { actor: Actor; isTrusted: boolean },
  ): Promise<void> {
    return this.#change(async (tx) => {
      const before = await lockChannel(tx, id);
      if (before === null) throw missing(id);
      const given = Object.entries(patch).filter(([, value]) => value !== undefined);
      const after = { ...before, ...Object.fromEntries(given) } as ChannelRow;
      refuseMixed(after);
      if (after.url !== before.url) {
        this.#refusePrivate(after.url, isTrusted);
        after.may_be_private = isTrusted;
      }
      if (await isChannelNameTaken(tx, after)) throw nameTaken(after.name);
      await changeChannel(tx, after, { at: this.#at(), by: actorName(actor) });
      await this.#auditChannel(tx, actor, "update", before, {
        ...{ before: told(before), after: told(after) },
      });
    });
  }

  removeChannel(id: string, actor: Actor, reason?: string): Promise<void> {
    return this.#change(async (tx) => {
      const row = await lockChannel(tx, id);
      if (row === null) throw missing(id);
      await removeChannel(tx, id);
      await this.#auditChannel(tx, actor, "delete", row, { reason, before: told(row) });
    });
  }

  async testChannel(id: string, actor: Actor): Promise<Sent> {
    const channel = await readChannel(this.#context.database.intake, id);
    if (channel === null) throw missing(id);
    // Before it is sent: what left the house is in the log, however it went.
    await transact(this.#context.database.intake, (tx) =>
      this.#auditChannel(tx, actor, "test", channel, {}),
    );
    const timestamp = iso(this.#at());
    const message = { type: "alerts.test", timestamp, data: { alerts: [], more: 0 } };
    const sending = { id: uuidv7(), text: JSON.stringify(message) };
    return send(channel, sending, this.#parts.settings);
  }

  // Limits

  async setRule(org: number, rule: RuleName, input: ParsedRuleInput, actor: Actor): Promise<void> {
    const issues = strangeLimits(rule, input.limits);
    const [first] = issues;
    if (first) throw new InvalidInput(`${first.path.join(".")} ${first.message}.`, issues);
    const row: LimitRow = { org, rule, jobName: input.job_name ?? "", ...limitsOf(input) };
    await this.#change(async (tx) => {
      const before = await lockLimit(tx, row);
      if (before === null && (await countLimits(tx, org)) >= LIMITS_MAX) {
        throw new InvalidInput(
          `Limits are set for ${LIMITS_MAX} jobs already: take one back first.`,
        );
      }
      const isPlain = row.enabled && Object.keys(row.limits).length === 0;
      if (isPlain) await removeLimit(tx, row);
      else await writeLimit(tx, row, { at: this.#at(), by: actorName(actor) });
      const facts = ({ enabled, limits }: Pick<LimitRow, "enabled" | "limits">) => ({
        enabled,
        limits,
      });
      await audit(tx, actor, {
        ...{ org, action: "alert_rule.change", objectKind: "alert_rule", objectId: rule },
        before: { job_name: input.job_name, ...(before ? facts(before) : {}) },
        after: { job_name: input.job_name, ...facts(row) },
      });
    });
  }

  /** An address that says itself that it is a private one; what a name leads to is judged when it is asked. */
  #refusePrivate(url: string | null, isTrusted: boolean): void {
    if (url === null || isTrusted || this.#parts.settings.allowsPrivate) return;
    const host = new URL(url).hostname.replace(/^\[|\]$/g, "");
    const isOurs = host === "localhost" || (isIP(host) !== 0 && !isPublicAddress(host));
    if (!isOurs) return;
    const message = "is an address of a private network: only superusers may write one";
    throw new InvalidInput(`url ${message}.`, [{ path: ["url"], message }]);
  }

  #auditChannel(
    tx: Transaction,
    actor: Actor,
    verb: string,
    { id, org_id: org }: Pick<ChannelRow, "id" | "org_id">,
    { reason, ...news }: { reason?: string | undefined; before?: object; after?: object },
  ): Promise<void> {
    const object = { objectKind: "alert_channel", objectId: id };
    return audit(tx, actor, {
      ...{ org, action: `alert_channel.${verb}`, ...object, reason: reason ?? null },
      ...news,
    });
  }

  async #change<R>(act: (tx: Transaction) => Promise<R>): Promise<R> {
    const result = await transact(this.#context.database.intake, act);
    this.#context.bus.tell("alerts.changed", {});
    return result;
  }

  #at(): number {
    return Math.floor(this.#context.clock.now());
  }
}

const iso = (ms: number) => new Date(ms).toISOString();
const missing = (id: string) => new NotFound(`There is no channel ${id}.`);

function nameTaken(name: string): InvalidInput {
  const message = `There is a channel ${name} already: choose another name, or change that one.`;
  return new InvalidInput(message, [{ path: ["name"], message }]);
}

function limitsOf({ enabled, limits }: ParsedRuleInput): Pick<LimitRow, "enabled" | "limits"> {
  return { enabled, limits };
}

/** Neither secrets nor the paths of addresses, which often are some. */
function told({ name, kind, severity, enabled, url, addresses }: ChannelRow): object {
  const host = url === null ? {} : { host: new URL(url).host };
  return { name, kind, severity, enabled, ...host, ...(addresses === null ? {} : { addresses }) };
}

function refuseMixed({ kind, url, addresses }: ChannelRow): void {
  const isMail = kind === "email";
  if (isMail ? url === null && addresses !== null : addresses === null && url !== null) return;
  const path = isMail ? "addresses" : "url";
  const message = `is what a channel of kind ${kind} has, and nothing else`;
  throw new InvalidInput(`${path} ${message}.`, [{ path: [path], message }]);
}

function spanOf(input: ParsedSilenceInput, at: number): { startsAt: number; endsAt: number } {
  const startsAt = input.starts_at === null ? at : Date.parse(input.starts_at);
  const isOne = (input.ends_at === null) !== (input.seconds === null);
  if (!isOne) throw silenceProblem("ends_at", "or seconds says when it ends: write one of the two");
  const endsAt =
    input.ends_at === null ? startsAt + input.seconds! * 1_000 : Date.parse(input.ends_at);
  if (endsAt <= Math.max(at, startsAt)) throw silenceProblem("ends_at", "must lie ahead");
  if (endsAt - at > SILENCE_MAX_DAYS * DAY_MS) {
    throw silenceProblem("ends_at", `must lie within ${SILENCE_MAX_DAYS} days`);
  }
  return { startsAt, endsAt };
}

function silenceProblem(path: string, message: string): InvalidInput {
  return new InvalidInput(`${path} ${message}.`, [{ path: [path], message }]);
}

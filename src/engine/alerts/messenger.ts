/**
 * Sends what waits for channels, on every server: a try is taken for a while before it begins, so that whoever
 * dies in it leaves it to the others. At least once, always with the same id; after a day it is given up.
 */
import { retryAfter } from "../../core/alerts/retry.ts";
import { readChannel } from "../../db/statements/alerts/channels.ts";
import {
  type DueDelivery,
  endDelivery,
  nextDelivery,
  postponeDelivery,
  takeDeliveries,
} from "../../db/statements/alerts/deliveries.ts";
import type { EngineContext } from "../context.ts";
import type { Service } from "../service.ts";
import { type SendSettings, send } from "./send/send.ts";

/** Longer than any try takes. */
const LEASE_SECONDS = 60;
const AT_ONCE = 8;
const LOOK_MS = 15_000;

export class Messenger implements Service {
  readonly name = "alert messages";
  readonly #context: EngineContext;
  readonly #settings: SendSettings;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: Promise<unknown> | undefined;
  #again = false;
  #started = false;

  constructor(context: EngineContext, settings: SendSettings) {
    this.#context = context;
    this.#settings = settings;
  }

  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.poke();
  }

  async stop(): Promise<void> {
    this.#started = false;
    clearTimeout(this.#timer);
    await this.#running;
  }

  /** Looks at once. */
  poke(): void {
    if (!this.#started) return;
    this.#again = true;
    if (this.#running) return;
    clearTimeout(this.#timer);
    this.#running = this.#turn();
  }

  async #turn(): Promise<void> {
    let restMs = LOOK_MS;
    while (this.#again && this.#started) {
      this.#again = false;
      try {
        while (this.#started && (await this.pass()) > 0);
        restMs = Math.min(LOOK_MS, (await nextDelivery(this.#context.database.beats)) ?? LOOK_MS);
      } catch (error) {
        this.#context.log.warn({ error: String(error) }, "alerts were not told");
      }
    }
    this.#running = undefined;
    if (this.#started) this.#timer = setTimeout(() => this.poke(), Math.max(100, restMs));
  }

  /** Tries some of what is due; how many. */
  async pass(): Promise<number> {
    const { beats } = this.#context.database;
    const due = await takeDeliveries(beats, LEASE_SECONDS, AT_ONCE);
    await Promise.all(due.map((delivery) => this.#try(delivery)));
    return due.length;
  }

  async #try(delivery: DueDelivery): Promise<void> {
    const { log, clock, database } = this.#context;
    const channel = await readChannel(database.beats, delivery.channel_id);
    if (channel === null) return;
    const { id, message: text, attempts } = delivery;
    const sent = channel.enabled
      ? await send(channel, { id, text }, this.#settings)
      : { ok: false as const, error: "The channel was switched off.", isFinal: true };
    if (sent.ok) {
      await endDelivery(database.beats, delivery, { state: "delivered", error: null });
      return;
    }
    const ageMs = clock.now() - delivery.created_ms;
    const afterMs = sent.isFinal ? null : retryAfter(attempts, ageMs, Math.random());
    const { error } = sent;
    if (afterMs !== null) return postponeDelivery(database.beats, delivery, { afterMs, error });
    await endDelivery(database.beats, delivery, { state: "given_up", error });
    log.warn({ channel: channel.name, error }, "alerts could not be told, and are given up");
  }
}

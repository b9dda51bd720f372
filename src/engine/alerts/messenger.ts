/**
 * Sends what waits for channels, on every server: a try is taken for a while before it begins, so that whoever
 * dies in it leaves it to the others. At least once, always with the same id; after a day it is given up. Nobody waits
 * for the slowest: each try has a place of its own, and no organization has all of them.
 */
import { retryAfter } from "../../core/alerts/retry.ts";
import { readChannel } from "../../db/statements/alerts/channels.ts";
import {
  endDelivery,
  nextDelivery,
  postponeDelivery,
} from "../../db/statements/alerts/deliveries.ts";
import type { EngineContext } from "../context.ts";
import type { Service } from "../service.ts";
import { type SendSettings, send } from "./send/send.ts";
import { type Taken, takeDue } from "./taking.ts";

/** Longer than any try takes. */
const LEASE_SECONDS = 60;
const AT_ONCE = 16;
/** Of one organization, or of the instance. */
const AT_ONCE_EACH = 4;
const LOOK_MS = 15_000;
/** Where something is due and no place is left for it: the try that ends looks at once. */
const FULL_MS = 1_000;

export class Messenger implements Service {
  readonly name = "alert messages";
  readonly #context: EngineContext;
  readonly #settings: SendSettings;
  readonly #tries = new Map<Promise<unknown>, number>();
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
    await Promise.all(this.#tries.keys());
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
        await this.#begin();
        restMs = Math.min(LOOK_MS, (await nextDelivery(this.#context.database.beats)) ?? LOOK_MS);
      } catch (error) {
        this.#context.log.warn({ error: String(error) }, "alerts were not told");
      }
    }
    this.#running = undefined;
    const leastMs = this.#tries.size > 0 ? FULL_MS : 100;
    if (this.#started) this.#timer = setTimeout(() => this.poke(), Math.max(leastMs, restMs));
  }

  /** Tries some of what is due, to the end; how many. */
  async pass(): Promise<number> {
    const tries = await this.#begin();
    await Promise.all(tries);
    return tries.length;
  }

  /** As many tries as there are places for; they do not fail. */
  async #begin(): Promise<Promise<void>[]> {
    const room = AT_ONCE - this.#tries.size;
    if (room <= 0) return [];
    const busy = new Map<number, number>();
    for (const org of this.#tries.values()) busy.set(org, (busy.get(org) ?? 0) + 1);
    const { beats } = this.#context.database;
    const taken = await takeDue(beats, { limit: room, each: AT_ONCE_EACH, busy }, LEASE_SECONDS);
    return taken.map((delivery) => {
      const one = this.#recorded(delivery)
        .catch((error) => {
          // Whoever comes after the lease tries it again.
          this.#context.log.warn(
            { error: String(error) },
            "it is not known whether alerts were told",
          );
        })
        .finally(() => {
          this.#tries.delete(one);
          this.poke();
        });
      this.#tries.set(one, delivery.org);
      return one;
    });
  }

  /** What a receiver refuses is an item that failed; only what goes wrong here fails the run. */
  async #recorded(delivery: Taken): Promise<void> {
    await this.#context.maintenance.pass(
      "deliveries",
      () => this.#try(delivery),
      (isTold) => (isTold ? { success: 1 } : { failed: 1 }),
    );
  }

  /** Whether it was told. */
  async #try(delivery: Taken): Promise<boolean> {
    const { log, clock, database } = this.#context;
    const channel = await readChannel(database.beats, delivery.channel_id);
    if (channel === null) return false;
    const { id, message: text, attempts } = delivery;
    const sent = channel.enabled
      ? await send(channel, { id, text }, this.#settings)
      : { ok: false as const, error: "The channel was switched off.", isFinal: true };
    if (sent.ok) {
      await endDelivery(database.beats, delivery, { state: "delivered", error: null });
      return true;
    }
    const ageMs = clock.now() - delivery.created_ms;
    const afterMs = sent.isFinal ? null : retryAfter(attempts, ageMs, Math.random());
    const { error } = sent;
    if (afterMs !== null) {
      await postponeDelivery(database.beats, delivery, { afterMs, error });
      return false;
    }
    await endDelivery(database.beats, delivery, { state: "given_up", error });
    log.warn({ channel: channel.name, error }, "alerts could not be told, and are given up");
    return false;
  }
}

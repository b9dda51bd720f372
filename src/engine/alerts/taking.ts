/**
 * What is told to a channel next: all that waits for it, as one message. So a channel hears in order, what was
 * overtaken meanwhile is not told any more, and what comes up while a message is put off does not wait with it.
 */
import { type AlertMessage, joinMessages } from "../../core/alerts/message.ts";
import type { Sql } from "../../db/client.ts";
import {
  type DueDelivery,
  lockDueChannels,
  type Room,
  readWaiting,
  replaceDeliveries,
  takeDelivery,
} from "../../db/statements/alerts/deliveries.ts";
import { transact } from "../pipeline.ts";

export interface Taken extends DueDelivery {
  /** 0: a channel of the instance. */
  org: number;
}

/** One of each channel, for `leaseSeconds`. */
export function takeDue(sql: Sql, room: Room, leaseSeconds: number): Promise<Taken[]> {
  return transact(sql, async (tx) => {
    const channels = await lockDueChannels(tx, room);
    if (channels.length === 0) return [];
    const ids = channels.map(({ id }) => id);
    const waiting = Map.groupBy(await readWaiting(tx, ids), (one) => one.channel_id);
    const taken: Taken[] = [];
    for (const { id, org } of channels) {
      const own = waiting.get(id) ?? [];
      // Another server may have taken of it between the look and the lock.
      const last = own.at(-1);
      if (last === undefined || own.some((one) => one.is_taken)) continue;
      const attempts = Math.max(...own.map((one) => one.attempts)) + 1;
      const delivery = { ...last, message: joined(own), attempts };
      await replaceDeliveries(
        tx,
        own.slice(0, -1).map((one) => one.id),
      );
      await takeDelivery(tx, delivery, leaseSeconds);
      taken.push({ ...delivery, org });
    }
    return taken;
  });
}

/** What was tried as it is stays as it is: its text is the same at every try. */
function joined(own: readonly DueDelivery[]): string {
  if (own.length === 1) return own[0]!.message;
  return JSON.stringify(joinMessages(own.map((one) => JSON.parse(one.message) as AlertMessage)));
}

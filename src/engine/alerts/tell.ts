/** Who is told of what changed at one look: messages for channels, and rows of the history. */
import { v7 as uuidv7 } from "uuid";
import {
  type AlertNote,
  hears,
  isToldAgain,
  messageOf,
  noteOf,
} from "../../core/alerts/message.ts";
import type { Rule } from "../../core/alerts/rules.ts";
import { isSilenced } from "../../core/alerts/silence.ts";
import type { AlertEvent } from "../../core/alerts/step.ts";
import type { Transaction } from "../../db/client.ts";
import { readOpenChannels } from "../../db/statements/alerts/channels.ts";
import { insertDeliveries } from "../../db/statements/alerts/deliveries.ts";
import { readActiveSilences } from "../../db/statements/alerts/silences.ts";
import type { AlertRow, EventRow } from "../../db/statements/alerts/states.ts";
import { readTold, type ToldRow, writeTold } from "../../db/statements/alerts/told.ts";
import type { WatchedName } from "../../db/statements/alerts/watched_names.ts";

export interface Change {
  row: AlertRow;
  rule: Rule;
  name: WatchedName;
  /** Null: it goes on firing. */
  event: AlertEvent | null;
}

/**
 * Of a firing alert a channel is told when it fires, or as soon as it may hear of it: when a silence is over, or the
 * channel was made. Again from time to time; and of its end, silenced or not, where it was told that it fires.
 * Writes the messages and who was told, and answers what goes into the history.
 */
export async function tell(
  tx: Transaction,
  changes: readonly Change[],
  { now, publicUrl }: { now: number; publicUrl: string | undefined },
): Promise<EventRow[]> {
  if (changes.length === 0) return [];
  const silences = await readActiveSilences(tx, now);
  const channels = await readOpenChannels(tx);
  const before = await readTold(
    tx,
    changes.map(({ row }) => row.id),
  );
  const told = new Map(before.map((one) => [`${one.alert} ${one.channel}`, one.at]));
  const events: EventRow[] = [];
  const fresh: ToldRow[] = [];
  const notes = new Map<string, AlertNote[]>();
  for (const { row, rule, name, event } of changes) {
    const about = { org: row.org, rule: row.rule, jobName: name.name };
    const silence = silences.find((one) => isSilenced(one, about, now)) ?? null;
    if (event !== null) {
      events.push({ alert: row, kind: event, at: now, silence: silence?.id ?? null });
    }
    const status = event ?? "firing";
    const noted = { ...row, rule, status, orgName: name.orgName, jobName: name.name };
    const note = noteOf(noted, publicUrl);
    for (const channel of channels) {
      const toldAt = told.get(`${row.id} ${channel.id}`) ?? null;
      const isDue =
        status !== "firing"
          ? toldAt !== null
          : silence === null &&
            hears(channel, row.org, rule.severity) &&
            isToldAgain(rule.severity, { toldAt, seenAt: row.seenAt }, now);
      if (!isDue) continue;
      if (status === "firing") fresh.push({ alert: row.id, channel: channel.id, at: now });
      notes.set(channel.id, [...(notes.get(channel.id) ?? []), note]);
    }
  }
  const messages = [...notes].map(([channel, own]) => {
    return { id: uuidv7({ msecs: now }), channel, message: messageOf(own, now), at: now };
  });
  await insertDeliveries(tx, messages);
  await writeTold(tx, fresh);
  return events;
}

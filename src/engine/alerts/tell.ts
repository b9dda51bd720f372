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
import type { WatchedName } from "../../db/statements/alerts/watched_names.ts";

export interface Change {
  row: AlertRow;
  rule: Rule;
  name: WatchedName;
  /** Null: it goes on firing. */
  event: AlertEvent | null;
}

/**
 * Of a firing alert channels are told when it fires, or when its silence is over, and again from time to time; of
 * its end only where they were told that it fires. Writes the messages, notes on the rows when they were told, and
 * answers what goes into the history.
 */
export async function tell(
  tx: Transaction,
  changes: readonly Change[],
  { now, publicUrl }: { now: number; publicUrl: string | undefined },
): Promise<EventRow[]> {
  if (changes.length === 0) return [];
  const silences = await readActiveSilences(tx, now);
  const channels = await readOpenChannels(tx);
  const events: EventRow[] = [];
  const notes = new Map<string, AlertNote[]>();
  for (const { row, rule, name, event } of changes) {
    const about = { org: row.org, rule: row.rule, jobName: name.name };
    const silence = silences.find((one) => isSilenced(one, about, now)) ?? null;
    if (event !== null) {
      events.push({ alert: row, kind: event, at: now, silence: silence?.id ?? null });
    }
    const isFiring = event === "firing" || event === null;
    const isDue = isFiring ? isToldAgain(rule.severity, row, now) : row.toldAt !== null;
    if (silence !== null || !isDue) continue;
    if (isFiring) row.toldAt = now;
    const status = event ?? "firing";
    const noted = { ...row, rule, status, orgName: name.orgName, jobName: name.name };
    const note = noteOf(noted, publicUrl);
    for (const channel of channels) {
      if (!hears(channel, row.org, rule.severity)) continue;
      notes.set(channel.id, [...(notes.get(channel.id) ?? []), note]);
    }
  }
  const messages = [...notes].map(([channel, own]) => {
    return { id: uuidv7({ msecs: now }), channel, message: messageOf(own, now), at: now };
  });
  await insertDeliveries(tx, messages);
  return events;
}

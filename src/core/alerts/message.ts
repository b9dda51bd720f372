/** What a channel is told: which alerts, and the message that says so. Pure. */
import type { Rule, Severity } from "./rules.ts";
import type { AlertEvent } from "./step.ts";

/** As every kind of channel tells it; a webhook gets it as it is. */
export interface AlertNote {
  id: string;
  status: AlertEvent;
  severity: string;
  rule: string;
  organization: string;
  job_name: string;
  summary: string;
  description: string;
  since: string;
  value: number | null;
  limit: number | null;
  /** Null where the server does not know its own address. */
  runbook_url: string | null;
}

export interface AlertMessage {
  type: "alerts.changed" | "alerts.test";
  timestamp: string;
  data: { alerts: AlertNote[]; more: number };
}

/** Alerts of one message; how many more there are is said. */
export const NOTES_MAX = 100;
/** So often it is said again that one fires. */
const REPEAT_MS: Record<Severity, number> = { critical: 3_600_000, warning: 4 * 3_600_000 };

/** A condition that was not seen for longer is not said to hold still. */
const SEEN_MS = 10 * 60_000;

/** Of a firing alert. `toldAt` null: it was not told yet. */
export function isToldAgain(
  severity: Severity,
  { toldAt, seenAt }: { toldAt: number | null; seenAt: number },
  now: number,
): boolean {
  if (toldAt === null) return true;
  return now - toldAt >= REPEAT_MS[severity] && now - seenAt <= SEEN_MS;
}

export interface Listener {
  org_id: number | null;
  severity: Severity;
}

/** Whether a channel is told of alerts of an organization and severity. */
export function hears(channel: Listener, org: number, severity: Severity): boolean {
  if (channel.org_id !== null && channel.org_id !== org) return false;
  return channel.severity === "warning" || severity === "critical";
}

export interface Noted {
  id: string;
  rule: Rule;
  orgName: string;
  jobName: string;
  status: AlertEvent;
  since: number;
  value: number | null;
  limit: number | null;
  sentence: string;
}

const ENDED: Record<AlertEvent, string> = {
  firing: "",
  resolved: "Resolved: ",
  lapsed: "Given up, for want of data: ",
};

export function noteOf(alert: Noted, publicUrl: string | undefined): AlertNote {
  const { rule, orgName, jobName, status, sentence } = alert;
  const path = `/board/alerts/rules/${rule.name}?${new URLSearchParams({ name: jobName })}`;
  return {
    ...{ id: alert.id, status, severity: rule.severity, rule: rule.name },
    ...{ organization: orgName, job_name: jobName },
    summary: `${ENDED[status]}${rule.summary(jobName)}`,
    description: sentence,
    since: new Date(alert.since).toISOString(),
    ...{ value: alert.value, limit: alert.limit },
    runbook_url: publicUrl === undefined ? null : `${publicUrl}${path}`,
  };
}

/** The worst first. */
export function messageOf(notes: readonly AlertNote[], now: number): AlertMessage {
  const rank = (note: AlertNote) =>
    (note.status === "firing" ? 0 : 2) + (note.severity === "critical" ? 0 : 1);
  const sorted = [...notes].sort((a, b) => rank(a) - rank(b));
  const alerts = sorted.slice(0, NOTES_MAX);
  const data = { alerts, more: sorted.length - alerts.length };
  return { type: "alerts.changed", timestamp: new Date(now).toISOString(), data };
}

/**
 * Messages that wait for one channel, the oldest first, as one: of each alert what was said last. So nothing is
 * overtaken, and of what has ended meanwhile only the end is told.
 */
export function joinMessages(messages: readonly AlertMessage[]): AlertMessage {
  const last = new Map<string, AlertNote>();
  for (const note of messages.flatMap(({ data }) => data.alerts)) last.set(note.id, note);
  const { type, timestamp, data } = messageOf([...last.values()], 0);
  const more = messages.reduce((sum, one) => sum + one.data.more, data.more);
  return { type, timestamp: messages.at(-1)?.timestamp ?? timestamp, data: { ...data, more } };
}

/** "2 firing, 1 resolved": the head of messages to people. */
export function headline({ type, data }: AlertMessage): string {
  if (type === "alerts.test") return "Signalbox: this is a test";
  const [first] = data.alerts;
  if (data.alerts.length === 1 && first) {
    const mark = first.status === "firing" ? first.severity : first.status;
    return `[${mark}] ${first.organization}: ${first.summary}`;
  }
  const firing = data.alerts.filter((note) => note.status === "firing").length + data.more;
  const ended = data.alerts.length + data.more - firing;
  const parts = [firing > 0 ? `${firing} firing` : "", ended > 0 ? `${ended} resolved` : ""];
  return `Signalbox alerts: ${parts.filter((part) => part !== "").join(", ")}`;
}

/** A message as plain lines. */
export function linesOf({ type, data }: AlertMessage): string[] {
  if (type === "alerts.test") return ["This channel hears of alerts of Signalbox."];
  const lines = data.alerts.flatMap((note) => [
    `${note.status === "firing" ? note.severity : note.status} · ${note.organization} · ${note.summary}`,
    note.description,
    ...(note.runbook_url === null ? [] : [note.runbook_url]),
    "",
  ]);
  return data.more > 0 ? [...lines, `And ${data.more} more.`] : lines;
}

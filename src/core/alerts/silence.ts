/** Which alerts a silence covers. Pure. */

export interface SilenceMatch {
  /** Null: of every organization. */
  org: number | null;
  /** Null: every rule. */
  rule: string | null;
  /** Null: every name; `report-*` covers what begins so. */
  jobName: string | null;
  startsAt: number;
  endsAt: number;
}

export interface Silenced {
  org: number;
  rule: string;
  jobName: string;
}

export function isSilenced(silence: SilenceMatch, alert: Silenced, now: number): boolean {
  if (now < silence.startsAt || now >= silence.endsAt) return false;
  if (silence.org !== null && silence.org !== alert.org) return false;
  if (silence.rule !== null && silence.rule !== alert.rule) return false;
  return silence.jobName === null || coversName(silence.jobName, alert.jobName);
}

export function coversName(pattern: string, name: string): boolean {
  return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

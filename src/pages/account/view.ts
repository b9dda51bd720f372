/** What the account page prints. */
import type { Directory } from "../../accounts/directory.ts";
import type { OpenSession } from "../../accounts/person_sessions.ts";
import type { Role, Scope } from "../../core/scope.ts";

export interface RoleRow {
  org: string;
  title: string;
  role: Role;
}

export function roleRows(scope: Scope, directory: Pick<Directory, "byId">): RoleRow[] {
  return [...scope.roles].flatMap(([id, role]) => {
    const org = directory.byId(id);
    return org ? [{ org: org.name, title: org.title ?? org.name, role }] : [];
  });
}

export interface SessionRow {
  id: string;
  browser: string;
  address: string;
  createdAt: number;
  seenAt: number;
  isCurrent: boolean;
}

export function sessionRows(
  sessions: readonly OpenSession[],
  current: string | null,
): SessionRow[] {
  return sessions.map(({ id, agent, address, createdAt, seenAt }) => ({
    id,
    browser: browserOf(agent),
    address: address ?? "unknown",
    createdAt: createdAt.getTime(),
    seenAt: seenAt.getTime(),
    isCurrent: id === current,
  }));
}

const BROWSERS = [
  ["Edg/", "Edge"],
  ["OPR/", "Opera"],
  ["Firefox/", "Firefox"],
  ["Chrome/", "Chrome"],
  ["Safari/", "Safari"],
] as const;
const SYSTEMS = [
  ["Android", "Android"],
  ["iPhone", "iPhone"],
  ["iPad", "iPad"],
  ["Windows", "Windows"],
  ["Mac OS", "macOS"],
  ["Linux", "Linux"],
] as const;
const AGENT_MAX = 60;

/** Such as "Firefox on Linux": enough to know one's own. The order matters, as each claims to be others. */
export function browserOf(agent: string | null): string {
  if (!agent) return "Unknown";
  const browser = BROWSERS.find(([mark]) => agent.includes(mark))?.[1];
  const system = SYSTEMS.find(([mark]) => agent.includes(mark))?.[1];
  if (!browser) return agent.slice(0, AGENT_MAX);
  return system ? `${browser} on ${system}` : browser;
}

/** What one registered route, topic or panel is asked, and who is answered what. */
import type { Actor } from "./cast.ts";
import type { Seeded, World } from "./seed.ts";
import type { Asked, Stage } from "./stage.ts";
import type { ByOrg } from "./verdicts.ts";

export interface Target {
  stage: Stage;
  world: World;
  /** The organization whose things are asked for. */
  of: Seeded;
  actor: Actor;
}

export interface Row {
  /** As it is registered: `GET /path/:param`, `topic name`, `panel name`. */
  of: string;
  verdicts: ByOrg | string;
  /** Of an answer that says yes. */
  ok: number;
  /** Made anew for each of the cast and each organization. */
  asks(target: Target): Promise<Asked[]> | Asked[];
}

type Asks = Row["asks"];

export function row(of: string, verdicts: Row["verdicts"], asks: Asks, ok = 200): Row {
  return { of, verdicts, ok, asks };
}

export const get = (path: string, headers?: Record<string, string>): Asked => {
  return { method: "GET", path, ...(headers ? { headers } : {}) };
};
export const post = (path: string, body: object = {}): Asked => ({ method: "POST", path, body });
export const form = (path: string, fields: Record<string, string> = {}): Asked => {
  return { method: "POST", path, form: fields };
};

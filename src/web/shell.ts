/** What the shell asks of a page, and what it gives it. The shell knows no page by name. */
import type { Context, Hono } from "hono";
import type { Authentication } from "../accounts/authentication.ts";
import type { Access, Caller } from "../accounts/caller.ts";
import type { Accounts } from "../accounts/create.ts";
import type { Directory } from "../accounts/directory.ts";
import type { LogStore } from "../blobs/log_store.ts";
import type { Scope } from "../core/scope.ts";
import type { Database } from "../db/client.ts";
import type { Engine } from "../engine/engine.ts";
import type { Assets } from "./assets.ts";
import type { Auth } from "./auth.ts";
import type { IconName } from "./icons.ts";
import type { LiveHub } from "./live/hub.ts";
import type { TopicRequest } from "./live/topic.ts";
import type { Renderer } from "./render.ts";
import type { Traffic } from "./traffic.ts";

export interface BoardLog {
  error(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface BoardDeps {
  engine: Engine;
  database: Pick<Database, "reads">;
  /** Logs of attempts, as far as a page reads them. */
  logs: Pick<LogStore, "size" | "read" | "watch">;
  /** Signing in and out; who is asking says `access`. */
  auth: Auth;
  authentication: Authentication;
  accounts: Pick<
    Accounts,
    "organizations" | "members" | "invitations" | "tokens" | "workerTokens" | "noteKey"
  >;
  access: Access;
  directory: Directory;
  live: LiveHub;
  /** What this server answers, its API too. */
  traffic: Traffic;
  log: BoardLog;
}

export interface BoardEnv {
  Bindings: { remoteAddress?: string | undefined };
  Variables: { caller: Caller };
}
export type BoardContext = Context<BoardEnv>;

export interface NavItem {
  label: string;
  href: string;
  icon: IconName;
  /** Heading under which the navigation lists it. */
  group: string;
  /** Others are not shown it. */
  only?(scope: Scope): boolean;
}

/**
 * Panels share topics, so whatever a topic prints must be in its key: what is asked, and of which
 * organizations. Of the caller only the scope may count.
 */
export type Panels = Record<string, (params: URLSearchParams, scope: Scope) => TopicRequest>;

export interface BoardPage {
  /** The page's folder in `src/pages` and `views`. */
  id: string;
  /** Absent for pages reached through others, such as one job. */
  nav?: NavItem;
  mount(app: Hono<BoardEnv>, shell: Shell): void;
  /** Live panels by name: which topic a stream's parameters ask for. */
  panels?(shell: Shell): Panels;
}

export interface PageOptions {
  /** Before " · Signalbox" in the browser's title. */
  title: string;
  /** Which navigation entry is current. */
  nav?: string;
  status?: number;
  /** Without the navigation, though somebody has signed in. */
  bare?: boolean;
  /** The page draws charts. */
  charts?: boolean;
}

export interface Shell {
  readonly deps: BoardDeps;
  readonly assets: Assets;
  readonly renderer: Renderer;
  /** `template` inside the layout. */
  page(c: BoardContext, template: string, model: object, options: PageOptions): Response;
  /** `template` alone, for htmx. */
  fragment(c: BoardContext, template: string, model: object, status?: number): Response;
}

/** Whether htmx asks for a part. Where it restores a page from history it wants all of it. */
export function isHtmx(c: BoardContext): boolean {
  return (
    c.req.header("hx-request") === "true" && c.req.header("hx-history-restore-request") !== "true"
  );
}

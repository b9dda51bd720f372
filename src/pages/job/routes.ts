/** `/board/jobs/{id}`: one job, why it is where it is, and what can be done about it. */
import { isSameOrigin } from "../../accounts/same_origin.ts";
import { isFinal } from "../../core/job_state.ts";
import { ABILITIES, may, seenOrgs } from "../../core/scope.ts";
import { clipText } from "../../core/storable.ts";
import type { ActionResult } from "../../engine/engine.ts";
import { PageError } from "../../web/errors.ts";
import { readForm } from "../../web/form.ts";
import { plural } from "../../web/format.ts";
import { type BoardContext, type BoardPage, isHtmx, type Shell } from "../../web/shell.ts";
import { orgOfJob } from "../../web/whose_job.ts";
import { jobTopic } from "./live.ts";
import { readTail } from "./log.ts";
import { createAliveCheck, type LogStreamDeps, streamLog } from "./log_stream.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const REASON_MAX = 200;

export const jobPage: BoardPage = {
  id: "job",
  mount: (app, shell) => {
    const { logs, database } = shell.deps;
    const follow: LogStreamDeps = { logs, isAlive: createAliveCheck(database.reads) };
    app.get("/board/jobs/:id", (c: BoardContext) => show(c, shell));
    app.get("/board/jobs/:id/log", (c: BoardContext) => log(c, shell, follow));
    app.post("/board/jobs/:id/cancel", (c: BoardContext) => act(c, shell, "cancel"));
    app.post("/board/jobs/:id/retry", (c: BoardContext) => act(c, shell, "retry"));
  },
  panels: (shell) => ({
    job: (params, scope) => {
      const id = params.get("job") ?? "";
      if (!UUID.test(id)) throw notFound();
      const attempt = attemptOf(params.get("attempt") ?? undefined);
      return jobTopic(shell, { id, attempt, scope });
    },
  }),
};

async function show(c: BoardContext, shell: Shell): Promise<Response> {
  const job = jobId(c);
  const chosen = attemptOf(c.req.query("attempt"));
  const { scope } = c.get("caller");
  const question = { id: job, attempt: chosen, scope };
  const { topic, id } = await shell.deps.live.topic(jobTopic(shell, question));
  const { rows, sections } = await topic.current();
  if (!rows) throw notFound();
  const attempt = chosen ?? rows.job.attempt;
  const live = rows.job.leased && attempt === rows.job.attempt;
  const { retention } = shell.deps.engine.keeping;
  const row = rows.attempts.find((one) => one.attempt === attempt);
  const isForgotten = !live && !row && isFinal(rows.job.state) && attempt <= rows.job.attempt;
  if (chosen !== null && !live && !row) {
    if (isForgotten) throw removed(retention.dispatchDays);
    throw new PageError(404, "No such attempt", `This job has no attempt ${chosen}.`);
  }
  const tail = await readTail(shell.deps.logs, job, attempt);
  const isLost = tail.size === 0 && attempt > 0 && (isForgotten || (row?.log_bytes ?? 0) > 0);
  const query = chosen === null ? "" : `&attempt=${chosen}`;
  const model = {
    id: job,
    name: rows.job.name,
    operates: may(scope, rows.job.org_id, "operate"),
    sections,
    manages: may(scope, rows.job.org_id, "manage"),
    stream: `/board/stream?panels=job&job=${job}${query}&since=${encodeURIComponent(id)}`,
    log: {
      job,
      attempt,
      tail: tail.html,
      size: tail.size,
      skipped: tail.from,
      live,
      keptDays: isLost ? retention.logsDays : null,
    },
  };
  return shell.page(c, "job/index", model, { title: rows.job.name, nav: "live" });
}

async function log(c: BoardContext, shell: Shell, follow: LogStreamDeps): Promise<Response> {
  const { job } = await seenJob(c, shell);
  const attempt = attemptOf(c.req.query("attempt"));
  if (attempt === null) throw new PageError(422, "No such log", "Name an attempt.");
  const from = Number(c.req.header("last-event-id") || c.req.query("from") || 0);
  const start = Number.isSafeInteger(from) && from >= 0 ? from : 0;
  return streamLog(follow, job, attempt, start);
}

async function act(c: BoardContext, shell: Shell, action: "cancel" | "retry"): Promise<Response> {
  const caller = c.get("caller");
  if (caller.via === "cookie" && !isSameOrigin(c.req.raw)) {
    throw new PageError(403, "Refused", "That request came from another site.");
  }
  const { job, org } = await seenJob(c, shell);
  if (!may(caller.scope, org, "operate")) {
    const needs = `Needs the role ${ABILITIES.operate} in the job's organization.`;
    throw new PageError(403, "You may not do that", `${needs} An admin of it can give it to you.`);
  }
  const form = await readForm(c.req.raw);
  const reason = clipText((form.get("reason") ?? "").trim(), REASON_MAX) || undefined;
  const { engine } = shell.deps;
  const result: ActionResult =
    action === "cancel"
      ? await engine.cancelJob(job, caller.author, reason)
      : await engine.retryJob(job, caller.author, reason);
  if (!result.ok) {
    const title = action === "cancel" ? "Not cancelled" : "Not retried";
    throw new PageError(result.code === "not_found" ? 404 : 409, title, result.reason);
  }
  if (!isHtmx(c)) return c.redirect(`/board/jobs/${job}`, 303);
  return shell.fragment(c, "job/_done", { text: doneText(action, result.state) });
}

/** Whom nobody shows it, and what is not there, are the same here. */
async function seenJob(c: BoardContext, shell: Shell) {
  const caller = c.get("caller");
  const job = jobId(c);
  const org = await orgOfJob(shell.deps.database.reads, job, seenOrgs(caller.scope));
  if (org === null) throw notFound();
  return { job, org, caller };
}

function doneText(action: "cancel" | "retry", state: string): string {
  if (action === "retry") return "Retried: it is queued again.";
  return state === "cancelled" ? "Cancelled." : "Cancel asked: the worker will stop it.";
}

function jobId(c: BoardContext): string {
  const id = (c.req.param("id") ?? "").toLowerCase();
  if (!UUID.test(id)) throw notFound();
  return id;
}

function attemptOf(text: string | undefined): number | null {
  if (text === undefined || !/^[1-9]\d{0,8}$/.test(text)) return null;
  return Number(text);
}

function removed(days: number): PageError {
  const detail = `Attempts are kept for ${plural(days, "day")} after they ended.`;
  return new PageError(410, "Removed by retention", detail);
}

function notFound(): PageError {
  const detail = "It may be older than the server keeps jobs, or the address is wrong.";
  return new PageError(404, "There is no such job", detail);
}

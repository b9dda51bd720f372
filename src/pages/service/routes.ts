/** `/board/service`: queues, schedules and slots, and what is done to them. */
import { sees } from "../../core/scope.ts";
import { PageError } from "../../web/errors.ts";
import { readFilterChoices } from "../../web/metrics/filter_choices.ts";
import type { BoardContext, BoardPage, Panels, Shell } from "../../web/shell.ts";
import { confirmAction, newsAt, runAction } from "./confirm.ts";
import { HOME, parseServiceFilter, serviceHref, serviceQuery, TABS } from "./filter.ts";
import { changeQueue, showQueue } from "./queue_page.ts";
import { changeSchedule } from "./schedule_edit.ts";
import { makeSchedule, showNewSchedule, showSchedule } from "./schedule_page.ts";
import { serviceTopic } from "./topic.ts";

export const servicePage: BoardPage = {
  id: "service",
  nav: { label: "Job service", href: HOME, icon: "service", group: "Fleet" },
  mount: (app, shell) => {
    app.get(HOME, (c: BoardContext) => show(c, shell));
    app.get(`${HOME}/confirm`, (c: BoardContext) => confirmAction(c, shell));
    app.post(`${HOME}/confirm`, (c: BoardContext) => runAction(c, shell));
    app.get(`${HOME}/queue`, (c: BoardContext) => showQueue(c, shell));
    app.post(`${HOME}/queue`, (c: BoardContext) => changeQueue(c, shell));
    app.get(`${HOME}/schedules/new`, (c: BoardContext) => showNewSchedule(c, shell));
    app.post(`${HOME}/schedules/new`, (c: BoardContext) => makeSchedule(c, shell));
    app.get(`${HOME}/schedules/:id`, (c: BoardContext) => showSchedule(c, shell));
    app.post(`${HOME}/schedules/:id`, (c: BoardContext) => changeSchedule(c, shell));
  },
  panels: (shell): Panels => ({
    service: (params, scope) => serviceTopic(shell, parseServiceFilter(params), scope),
  }),
};

const LABELS = { queues: "Job queues", schedules: "Schedules", workers: "Workers" } as const;

async function show(c: BoardContext, shell: Shell): Promise<Response> {
  const { scope } = c.get("caller");
  const params = new URL(c.req.url).searchParams;
  const filter = parseServiceFilter(params);
  const org = filter.org === "" ? null : shell.deps.directory.byName(filter.org);
  if (org === undefined || (org !== null && !sees(scope, org.id))) {
    const detail = "There is none of that name that you may see.";
    throw new PageError(404, "No such organization", detail);
  }
  const { topic } = await shell.deps.live.topic(serviceTopic(shell, filter, scope));
  await topic.freshen();
  const query = serviceQuery(filter);
  const model = {
    filter,
    parts: Object.fromEntries(topic.items),
    tabs: TABS.map((tab) => ({
      ...{ tab, label: LABELS[tab], isCurrent: tab === filter.tab },
      href: serviceHref(filter, { tab, worker: "", q: "" }),
    })),
    choices: await readFilterChoices(shell.deps, scope, ["org"]),
    news: await newsAt(c, shell, params),
    stream: `/board/stream?panels=service${query === "" ? "" : `&${query}`}`,
  };
  return shell.page(c, "service/index", model, { title: "Job service", nav: "service" });
}

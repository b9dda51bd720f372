/** `/board/live`: jobs on workers and jobs in line, as they move. */
import type { Scope } from "../../core/scope.ts";
import { filterQuery, isFiltered, type LiveFilter, parseFilter } from "../../web/live/filter.ts";
import { type BoardContext, type BoardPage, isHtmx, type Shell } from "../../web/shell.ts";
import { countsTopic, livePanels, rowsTopic } from "./live.ts";
import { readFilterOptions } from "./queries.ts";
import { chipModels } from "./view.ts";

export const livePage: BoardPage = {
  id: "live",
  nav: { label: "Live jobs", href: "/board/live", icon: "live", group: "Now" },
  mount: (app, shell) => {
    app.get("/board/live", (c: BoardContext) => show(c, shell));
  },
  panels: livePanels,
};

async function show(c: BoardContext, shell: Shell): Promise<Response> {
  const { scope } = c.get("caller");
  const filter = parseFilter(new URL(c.req.url).searchParams);
  if (isHtmx(c)) {
    const response = shell.fragment(c, "live/_jobs", await jobsModel(shell, filter, scope));
    response.headers.set("hx-replace-url", addressOf(filter));
    return response;
  }
  const counts = await shell.deps.live.topic(countsTopic(shell, filter.org, scope));
  const jobs = await jobsModel(shell, filter, scope);
  const { database, directory } = shell.deps;
  const options = await readFilterOptions(database.reads, directory, scope);
  const model = {
    filter,
    filtered: isFiltered(filter),
    options,
    chips: chipModels(filter, counts.topic.counts),
    states: counts.topic.counts,
    fleet: counts.topic.fleet,
    jobs,
  };
  return shell.page(c, "live/index", model, { title: "Live jobs", nav: "live" });
}

async function jobsModel(shell: Shell, filter: LiveFilter, scope: Scope): Promise<object> {
  const { topic, id } = await shell.deps.live.topic(rowsTopic(shell, filter, scope));
  const query = filterQuery(filter);
  return {
    rows: await topic.rows(),
    filtered: isFiltered(filter),
    stream: `/board/stream?panels=live,counts&since=${encodeURIComponent(id)}${query === "" ? "" : `&${query}`}`,
    now: shell.deps.engine.now(),
  };
}

function addressOf(filter: LiveFilter): string {
  const query = filterQuery(filter);
  return query === "" ? "/board/live" : `/board/live?${query}`;
}

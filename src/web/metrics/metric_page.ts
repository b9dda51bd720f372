/**
 * A page of charts: one address with a range and filters, one shared reading for everybody who sees the
 * same, kept up to date while somebody watches, and every figure to download.
 */
import { seenFleet } from "../../accounts/asked_orgs.ts";
import type { RangeName, TimeRange } from "../../core/metrics/time_range.ts";
import { type Scope, sightKey } from "../../core/scope.ts";
import type { FeedEvent } from "../../engine/feed.ts";
import { type Chart, isEmpty } from "../charts/chart.ts";
import { type ChartTable, csvOf, tableOf } from "../charts/download.ts";
import { chartData } from "../charts/option.ts";
import { PageError } from "../errors.ts";
import { count } from "../format.ts";
import { PollTopic } from "../live/poll.ts";
import type { LiveMessage } from "../live/sse.ts";
import type { TopicRequest } from "../live/topic.ts";
import type { BoardContext, BoardPage, NavItem, Panels, Shell } from "../shell.ts";
import { boundedSpan, coarserNotes } from "./bounded_span.ts";
import { countWaiting } from "./coverage.ts";
import { readFilterChoices } from "./filter_choices.ts";
import { MetricRefused } from "./groups.ts";
import {
  groupOf,
  type MetricFilter,
  metricQuery,
  parseMetricFilter,
  rangeOf,
} from "./metric_filter.ts";
import { hrefOf, metricHref, rangeLinks, refreshLinks } from "./metric_links.ts";
import type { SeriesAsk, SeriesDeps } from "./read_series.ts";

/** A figure above the charts. `href` leads to what it counts. */
export interface Figure {
  id: string;
  label: string;
  value: string;
  note?: string;
  tone?: "good" | "warn" | "bad";
  href?: string;
}

/** A table or another part of the page, printed by a fragment of the page's own. */
export interface PagePart {
  id: string;
  template: string;
  model: object;
  /** Beside this chart instead of below all of them. */
  beside?: string;
  /** Above the charts instead of below them. */
  isFirst?: boolean;
  /** Of a grid of 24 columns. */
  columns?: number;
}

/** What a page shows of one span and filter. */
export interface MetricPicture {
  /** Of a page about one thing: what it is called, and what is to be known of it. */
  title?: string;
  lead?: string;
  figures?: readonly Figure[];
  charts?: readonly Chart[];
  parts?: readonly PagePart[];
  /** Figures of parts, to be downloaded by these names as those of charts are by their ids. */
  tables?: Readonly<Record<string, ChartTable>>;
  /** What is not covered, masked or cut, in sentences. */
  notes?: readonly string[];
}

/** What a page reads from. */
export interface MetricAsk {
  shell: Shell;
  scope: Scope;
  filter: MetricFilter;
  range: TimeRange;
  /** Ready to be handed to `readSeries`. */
  span: Pick<SeriesAsk, "granularity" | "from" | "to" | "group">;
  source: SeriesDeps;
  /** What was read under this name less than `ms` ago, for parts that change more slowly than the page. */
  slowly<T>(name: string, ms: number, read: () => Promise<T>): Promise<T>;
}

export interface MetricPageSpec {
  id: string;
  /** Where it is; of a page about one thing its name is a step `:word` there, and one of `own`. */
  nav: NavItem;
  /** A part of another page, which the navigation lists: its id. */
  within?: string;
  /** False leaves the address to the page behind it. */
  when?(params: URLSearchParams): boolean;
  title: string;
  /** Under the title: what the page answers. */
  lead: string;
  /** Which filters apply; a page without any shows none. */
  filters: readonly ("org" | "queue" | "name")[];
  /** What else it reads from its address. */
  own?: readonly string[];
  /** Without it the page has no span of its own. */
  hasRange?: boolean;
  only?: "superusers";
  /** Nothing that it shows is read of several organizations side by side as `span` says. */
  readsWhole?: boolean;
  /** How often it is read anew while somebody watches. */
  everyMs?: number | ((filter: MetricFilter) => number);
  /** Where the address says nothing. */
  rangeDefault?: RangeName;
  /** Choices of how often it is read anew, as the word `refresh` of its address; the first is the default. */
  refreshes?: readonly string[];
  /** Its charts stand in a grid of 24 columns, as wide as each says. */
  isGrid?: boolean;
  read(ask: MetricAsk): Promise<MetricPicture>;
}

const EVERY_MS = 10_000;

export function metricPage(spec: MetricPageSpec): BoardPage {
  return {
    id: spec.id,
    ...(spec.within === undefined ? { nav: spec.nav } : {}),
    mount: (app, shell) => {
      app.get(spec.nav.href as "/board", async (c: BoardContext, next) => {
        const params = new URL(c.req.url).searchParams;
        if (spec.when && !spec.when(params)) return await next();
        return show(c, shell, spec);
      });
    },
    panels: (shell): Panels => ({
      [spec.id]: (params, scope) => {
        refuseOthers(spec, scope);
        return pictureTopic(shell, spec, filterOf(spec, params), scope);
      },
    }),
  };
}

function filterOf(spec: MetricPageSpec, params: URLSearchParams): MetricFilter {
  const { own = [], refreshes = [], rangeDefault } = spec;
  const words = refreshes.length > 0 ? [...own, "refresh"] : own;
  const filter = parseMetricFilter(params, words, rangeDefault);
  const isDefault = filter.own.refresh === refreshes[0];
  return isDefault ? { ...filter, own: { ...filter.own, refresh: "" } } : filter;
}

/** Reads the page anew for everybody who sees it as `scope` does: what somebody has just done on it stands there. */
export async function renewPicture(
  shell: Shell,
  spec: MetricPageSpec,
  scope: Scope,
): Promise<void> {
  const filter = filterOf(spec, new URLSearchParams());
  const { topic } = await shell.deps.live.topic(pictureTopic(shell, spec, filter, scope));
  await topic.tick();
}

async function show(c: BoardContext, shell: Shell, spec: MetricPageSpec): Promise<Response> {
  const { scope } = c.get("caller");
  refuseOthers(spec, scope);
  const params = new URL(c.req.url).searchParams;
  for (const [word, value] of Object.entries(c.req.param())) params.set(word, value as string);
  const filter = filterOf(spec, params);
  const [{ topic }, choices] = await Promise.all([
    shell.deps.live.topic(pictureTopic(shell, spec, filter, scope)),
    readFilterChoices(shell.deps, scope, spec.filters),
  ]);
  const picture = topic.picture;
  if (picture.status === 404 && spec.nav.href.includes("/:")) {
    throw new PageError(404, "Not found", "There is nothing at this address that you may see.");
  }
  const format = params.get("format");
  if (format === "csv" || format === "json")
    return download(picture, params.get("chart") ?? "", format);
  const query = metricQuery(filter);
  const model = {
    ...{ id: spec.id, title: picture.title, lead: picture.lead, filter, query },
    href: hrefOf(spec, filter),
    ...{ picture: picture.printed, filters: spec.filters, ranges: rangeLinks(spec, filter) },
    refreshes: refreshLinks(spec, filter),
    choices,
    isLive: filter.own.refresh !== "off",
    stream: `/board/stream?panels=${spec.id}${query === "" ? "" : `&${query}`}`,
    status: picture.status,
  };
  const options = {
    title: picture.title,
    nav: spec.within ?? spec.id,
    status: picture.status,
    charts: true,
  };
  return shell.page(c, "_shared/metric_page", model, options);
}

/** The page and its stream alike. */
function refuseOthers(spec: MetricPageSpec, scope: Scope): void {
  if (spec.only !== "superusers" || scope.isSuperuser) return;
  throw new PageError(403, "Not yours", `Only superusers see ${spec.title}.`);
}

// One reading for all who see the same

class PictureTopic extends PollTopic {
  /** A page has just been printed from this picture: the next change is news, the picture is not. */
  override async missed(_: readonly FeedEvent[], wasCut: boolean): Promise<LiveMessage[]> {
    return wasCut ? this.full() : [];
  }

  get picture(): PrintedPicture {
    return this.items.get(WHOLE) as PrintedPicture;
  }
}

/** What a page is printed from at once; every part of it stands beside it, to be told alone. */
const WHOLE = "whole";

function itemsOf(picture: PrintedPicture): Map<string, object> {
  const { printed } = picture;
  const { figures, notes, trouble, charts, first, parts } = printed;
  return new Map<string, object>([
    [WHOLE, picture],
    ["notes", { notes, trouble }],
    ["figures", { figures }],
    ...charts.map((chart): [string, object] => [`chart ${chart.id}`, { chart }]),
    ...[...first, ...parts].map((part): [string, object] => [`part ${part.id}`, { part }]),
  ]);
}

interface PrintedPicture {
  status: 200 | 404 | 422;
  title: string;
  lead: string;
  charts: readonly Chart[];
  tables: Readonly<Record<string, ChartTable>>;
  /** What the templates print. */
  printed: Printed;
}

interface Printed {
  figures: readonly Figure[];
  notes: readonly string[];
  trouble: string | null;
  charts: readonly { id: string }[];
  first: readonly PagePart[];
  parts: readonly PagePart[];
  isGrid: boolean;
}

function pictureTopic(
  shell: Shell,
  spec: MetricPageSpec,
  filter: MetricFilter,
  scope: Scope,
): TopicRequest<PictureTopic> {
  const print = (items: ReadonlyMap<string, object | null>): LiveMessage[] => {
    const changes = [...items].flatMap(([key, item]) => (item && key !== WHOLE ? [item] : []));
    if (changes.length === 0) return [];
    return [{ data: shell.renderer.fragment("_shared/_metric_changes", { changes }) }];
  };
  const { isSignedIn } = scope;
  const fleet = seenFleet(scope);
  const { everyMs = EVERY_MS } = spec;
  const create = () => {
    const slowly = slowReader();
    return new PictureTopic({
      everyMs: typeof everyMs === "function" ? everyMs(filter) : everyMs,
      read: async () => itemsOf(await readPicture(shell, spec, filter, { scope, slowly })),
      print,
      printAll: print,
      silent: WHOLE,
    });
  };
  const who = `${sightKey(scope)}/${isSignedIn}/${fleet.shared}/${spec.only ?? ""}`;
  return { key: `metrics/${spec.id}/${who}?${metricQuery(filter)}`, create };
}

/** More than a pass leaves behind: a downtime, or a first start, is being made up for. */
const WAITING_MIN = 30;

function waitingNote(minutes: number): string[] {
  if (minutes < WAITING_MIN) return [];
  return [`Charts are filling in: ${count(minutes)} minutes of history are still being added up.`];
}

function slowReader(): MetricAsk["slowly"] {
  const kept = new Map<string, { at: number; value: Promise<unknown> }>();
  return <T>(name: string, ms: number, read: () => Promise<T>): Promise<T> => {
    const known = kept.get(name);
    if (known && performance.now() - known.at < ms) return known.value as Promise<T>;
    const value = read();
    value.catch(() => kept.delete(name));
    kept.set(name, { at: performance.now(), value });
    return value;
  };
}

async function readPicture(
  shell: Shell,
  spec: MetricPageSpec,
  filter: MetricFilter,
  { scope, slowly }: Pick<MetricAsk, "scope" | "slowly">,
): Promise<PrintedPicture> {
  const { engine, database, directory } = shell.deps;
  const asked = rangeOf(filter, engine.now(), spec.rangeDefault);
  const group = groupOf(filter);
  const kept = engine.keeping.retention;
  const source: SeriesDeps = { reads: database.reads, directory, kept, asked: new Map() };
  try {
    if (asked.problem !== null) throw new MetricRefused("invalid", "range", asked.problem);
    const range = spec.readsWhole ? asked : boundedSpan(source, scope, asked, group);
    const { granularity, from, to } = range;
    const span = { granularity, from, to, group };
    const [picture, waiting] = await Promise.all([
      spec.read({ shell, scope, filter, range, span, source, slowly }),
      slowly("waiting", EVERY_MS, () => countWaiting(source.reads)),
    ]);
    const coarser = coarserNotes(asked, range, { mayChooseOrg: spec.filters.includes("org") });
    const notes = [...waitingNote(waiting), ...coarser, ...(picture.notes ?? [])];
    const printed = printable(spec, filter, { ...picture, notes });
    const { title = spec.title, lead = spec.lead, charts = [], tables = {} } = picture;
    return { status: 200, title, lead, charts, tables, printed };
  } catch (error) {
    if (!(error instanceof MetricRefused)) throw error;
    const status = error.kind === "not_found" ? 404 : 422;
    const printed = printable(spec, filter, {});
    const { title, lead } = spec;
    const none = { charts: [], tables: {} };
    return { status, title, lead, ...none, printed: { ...printed, trouble: error.message } };
  }
}

function printable(spec: MetricPageSpec, filter: MetricFilter, picture: MetricPicture): Printed {
  const { figures = [], charts = [], parts = [], notes = [] } = picture;
  const download = (chart: string, format: string) => metricHref(spec, filter, { chart, format });
  return {
    ...{ figures, notes, trouble: null, isGrid: spec.isGrid === true },
    first: parts.filter((part) => part.isFirst),
    parts: parts.filter((part) => !part.isFirst),
    charts: charts.map((chart) => ({
      ...{ id: chart.id, title: chart.title, sentence: chart.sentence, kind: shapeOf(chart) },
      columns: chart.columns ?? null,
      empty: isEmpty(chart) ? chart.empty : null,
      data: JSON.stringify(chartData(chart)).replaceAll("<", "\\u003c"),
      ...{ csv: download(chart.id, "csv"), json: download(chart.id, "json") },
    })),
  };
}

/** Lying bars need a line each. */
function shapeOf(chart: Chart): string {
  const isTall = chart.kind === "bars" && chart.isLying === true && chart.labels.length > 9;
  return isTall ? "bars tall" : chart.kind;
}

function download(picture: PrintedPicture, id: string, format: "csv" | "json"): Response {
  const chart = picture.charts.find((one) => one.id === id);
  const table = chart === undefined ? picture.tables[id] : tableOf(chart);
  if (table === undefined) {
    throw new PageError(404, "No such chart", "Open the page and take the link below a chart.");
  }
  const unit = chart === undefined ? {} : { unit: chart.unit };
  const body = format === "csv" ? csvOf(table) : JSON.stringify({ ...table, ...unit });
  const type = format === "csv" ? "text/csv; charset=utf-8" : "application/json";
  return new Response(body, {
    headers: {
      "content-type": type,
      "content-disposition": `attachment; filename="signalbox-${id}.${format}"`,
      "cache-control": "no-store",
    },
  });
}

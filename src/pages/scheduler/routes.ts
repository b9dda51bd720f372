/** `/board/scheduler`: how long jobs wait, and what decides who is next. */
import { askedOrgs } from "../../accounts/asked_orgs.ts";
import { seenOrgs } from "../../core/scope.ts";
import { count, decimal, duration, minute, plural } from "../../web/format.ts";
import { coverageNotes } from "../../web/metrics/coverage_note.ts";
import { readFairness } from "../../web/metrics/fairness.ts";
import { endedJobsLink } from "../../web/metrics/jobs_link.ts";
import {
  type Figure,
  type MetricAsk,
  type MetricPicture,
  metricPage,
  type PagePart,
} from "../../web/metrics/metric_page.ts";
import { readSeries, type Series } from "../../web/metrics/read_series.ts";
import { readScoring, type ScoringSummary } from "../../web/metrics/scoring_summary.ts";
import { fairnessChart, scoreChart, slotsChart, waitChart } from "./charts.ts";
import { HELD_MAX, NEWEST_MAX, type PassedOver, readPassedOver } from "./passed_over.ts";
import { ruleRows } from "./rules_view.ts";

export const schedulerPage = metricPage({
  id: "scheduler",
  nav: { label: "Scheduler", href: "/board/scheduler", icon: "scheduler", group: "History" },
  title: "Scheduler",
  lead: "How long jobs wait, and what decides which is next.",
  filters: ["org", "queue", "name"],
  read: readScheduler,
});

async function readScheduler(ask: MetricAsk): Promise<MetricPicture> {
  const { scope, span, source, range, filter } = ask;
  const metrics = ["dispatch.wait_ms", "deps.wait_ms"];
  const isWhole = filter.queue === "" && filter.name === "";
  const [[queue, dependencies], others] = await Promise.all([
    readSeries(source, scope, { ...span, metrics }) as Promise<[Series, Series]>,
    isWhole ? readDecisions(ask) : null,
  ]);
  const waits = waitChart(range, { queue, dependencies }, endedJobsLink(filter));
  const notes = coverageNotes(queue.covered, range);
  const figures = waitFigures(queue, dependencies);
  if (others === null) {
    const note =
      "Scores and slots are kept by organization, not by queue or name: here are the waits alone. " +
      "Take the filter away for the others.";
    return { figures, charts: [waits], notes: [...notes, note] };
  }
  const [scoring, shared, passed] = others;
  const fairness = scope.isSuperuser
    ? fairnessChart(span, shared)
    : slotsChart(shared?.shares ?? []);
  return {
    figures: [...figures, ...scoreFigures(scoring)],
    charts: [waits, scoreChart(scoring.bars), fairness],
    parts: [rulesPart(scoring), passedPart(passed)],
    notes,
  };
}

/** Scores, shares and who was passed over. */
function readDecisions({ scope, span, source, range, filter, shell }: MetricAsk) {
  const { directory, engine } = shell.deps;
  const orgs = askedOrgs(directory, seenOrgs(scope), filter.org);
  return Promise.all([
    readScoring(source, scope, span),
    readFairness({ ...source, directory }, scope, span),
    readPassedOver({ reads: source.reads, names: engine.names }, orgs, range),
  ]);
}

function waitFigures(queue: Series, dependencies: Series): Figure[] {
  const [waited, blocked] = [queue.total(), dependencies.total()];
  return [
    {
      ...{ id: "queue-mean", label: "Queue wait, mean", value: duration(waited.avg) },
      note: `of ${plural(waited.count, "dispatch", "dispatches")}`,
    },
    { id: "queue-p95", label: "Queue wait, p95", value: duration(waited.p95), note: "within 1 %" },
    {
      ...{ id: "deps-mean", label: "Dependency wait, mean", value: duration(blocked.avg) },
      note: `of ${plural(blocked.count, "job")}`,
    },
  ];
}

function scoreFigures({ count: n, avg, min, max }: ScoringSummary): Figure[] {
  return [
    { id: "scored", label: "Scored attempts", value: count(n), note: "that have ended" },
    { id: "score-mean", label: "Score, mean", value: decimal(avg) },
    { id: "score-range", label: "Lowest to highest", value: `${decimal(min)} to ${decimal(max)}` },
  ];
}

function rulesPart({ rules, count: n }: ScoringSummary): PagePart {
  const model = { rules: ruleRows(rules), of: plural(n, "attempt") };
  return { id: "rules", template: "scheduler/_rules", model };
}

function passedPart(passed: PassedOver): PagePart {
  const { shown, contested, looked, since, jobs, times } = passed;
  const model = {
    ...{ held: HELD_MAX, newest: NEWEST_MAX, contested, shown },
    looked: plural(looked, "dispatch", "dispatches"),
    since: since === null ? null : minute(since),
    ...{ jobs: plural(jobs, "job"), times: plural(times, "time"), isSome: times > 0 },
  };
  return { id: "passed", template: "scheduler/_passed", model };
}

/** The dashboard of background jobs for Grafana, and what tells Grafana to read it: `deploy/grafana`. */
import { stringify } from "yaml";
import { DATA_SOURCE, PANELS } from "./panels.ts";

/** Of any of them: a name that only waits, or succeeded before the last restart, can be chosen too. */
const SERIES = "job_execution_total|job_queue_size|job_last_success_timestamp_seconds";

function variable(name: string, label: string, query: string): object {
  return {
    ...{ type: "query", name, label, datasource: DATA_SOURCE, query: { query, refId: name } },
    ...{ definition: query, refresh: 2, sort: 1, multi: true, includeAll: true, allValue: ".*" },
    current: { text: ["All"], value: ["$__all"] },
  };
}

function dashboard(): object {
  const within = `{__name__=~"${SERIES}"}`;
  const ofChosen = `{__name__=~"${SERIES}", organization=~"$organization"}`;
  return {
    uid: "background-jobs",
    title: "Background Jobs Monitoring",
    description: "Made from src/core/background: change it there, then `bun run deploy:generate`.",
    tags: ["jobs", "scheduler", "background"],
    ...{ schemaVersion: 38, version: 1, editable: true, timezone: "utc" },
    ...{ refresh: "30s", time: { from: "now-6h", to: "now" } },
    timepicker: { refresh_intervals: ["10s", "30s", "1m", "5m", "15m"] },
    ...{ annotations: { list: [] }, links: [] },
    templating: {
      list: [
        {
          ...{ type: "datasource", name: "datasource", label: "Data source", query: "prometheus" },
          current: {},
        },
        variable("organization", "Organization", `label_values(${within}, organization)`),
        variable("job_name", "Job", `label_values(${ofChosen}, job_name)`),
      ],
    },
    panels: PANELS,
  };
}

const HEAD = "# Made by `bun run deploy:generate`.\n";

const dataSources = {
  apiVersion: 1,
  datasources: [
    {
      ...{ name: "Prometheus", type: "prometheus", access: "proxy", url: "http://localhost:9090" },
      // As often as Prometheus scrapes: the least step of a panel.
      jsonData: { timeInterval: "15s" },
    },
  ],
};

const dashboards = {
  apiVersion: 1,
  providers: [
    {
      ...{ name: "signalbox", type: "file", updateIntervalSeconds: 10, allowUiUpdates: true },
      options: { path: "/var/lib/grafana/dashboards" },
    },
  ],
};

export function grafanaFiles(): Record<string, string> {
  return {
    "grafana/background-jobs.json": `${JSON.stringify(dashboard(), null, 2)}\n`,
    "grafana/provisioning/datasources/signalbox.yml": HEAD + stringify(dataSources),
    "grafana/provisioning/dashboards/signalbox.yml": HEAD + stringify(dashboards),
  };
}

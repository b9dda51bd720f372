/** The pages the board has, in the order the navigation lists them. */
import type { BoardPage } from "../web/shell.ts";
import { accountPage } from "./account/routes.ts";
import { alertsPage } from "./alerts/routes.ts";
import { auditPage } from "./audit/routes.ts";
import { backgroundPage } from "./background/routes.ts";
import { cachePage } from "./cache/routes.ts";
import { durationsPage } from "./durations/routes.ts";
import { healthPage } from "./health/routes.ts";
import { jobPage } from "./job/routes.ts";
import { jobsPage } from "./jobs/routes.ts";
import { livePage } from "./live/routes.ts";
import { networkPage } from "./network/routes.ts";
import { orgsPage } from "./orgs/routes.ts";
import { overviewPage } from "./overview/routes.ts";
import { peoplePage } from "./people/routes.ts";
import { rankingsPage } from "./rankings/routes.ts";
import { schedulerPage } from "./scheduler/routes.ts";
import { servicePage } from "./service/routes.ts";
import { throughputPage } from "./throughput/routes.ts";
import { workerPage } from "./worker/routes.ts";
import { workersPage } from "./workers/routes.ts";

export const boardPages: readonly BoardPage[] = [
  overviewPage,
  livePage,
  // Tabs of the next one's address.
  rankingsPage,
  // Before the page of one job: its fixed steps would be taken for ids.
  jobsPage,
  jobPage,
  throughputPage,
  schedulerPage,
  durationsPage,
  backgroundPage,
  workersPage,
  workerPage,
  servicePage,
  networkPage,
  cachePage,
  alertsPage,
  healthPage,
  orgsPage,
  peoplePage,
  auditPage,
  accountPage,
];

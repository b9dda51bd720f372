/** Every route of the API, in the order in which they are matched: fixed steps before parameters. */
import { adminRoutes } from "./admin/routes.ts";
import { auditRoutes } from "./audit/routes.ts";
import { backgroundRoutes } from "./background/routes.ts";
import { durationsRoutes } from "./board/durations_routes.ts";
import { fleetRoutes } from "./board/fleet_routes.ts";
import { healthRoutes } from "./board/health_routes.ts";
import { liveRoutes } from "./board/live_routes.ts";
import { rankingRoutes } from "./board/rankings_routes.ts";
import { boardRoutes } from "./board/routes.ts";
import { scoringRoutes } from "./board/scoring_routes.ts";
import { historyRoutes } from "./jobs/history_routes.ts";
import { logRoutes } from "./jobs/log_routes.ts";
import { jobRoutes } from "./jobs/routes.ts";
import { peopleRoutes } from "./members/people_routes.ts";
import { memberRoutes } from "./members/routes.ts";
import { operationRoutes } from "./operations.ts";
import { orgRoutes } from "./orgs.ts";
import { queueRoutes } from "./queues/routes.ts";
import { rollupRoutes } from "./rollups/routes.ts";
import type { Route } from "./route.ts";
import { scheduleActionRoutes } from "./schedules/actions.ts";
import { scheduleRoutes } from "./schedules/routes.ts";
import { meRoutes } from "./tokens/me.ts";
import { tokenRoutes } from "./tokens/routes.ts";
import { workerTokenRoutes } from "./tokens/worker_routes.ts";
import { workerMetricRoutes } from "./workers/metrics_routes.ts";
import { workerRoutes } from "./workers/routes.ts";
import { slotRoutes } from "./workers/slots.ts";
import { workflowRoutes } from "./workflows/routes.ts";

export const ALL_ROUTES: readonly Route[] = [
  ...jobRoutes,
  ...historyRoutes,
  ...logRoutes,
  ...workflowRoutes,
  ...queueRoutes,
  ...scheduleRoutes,
  ...scheduleActionRoutes,
  ...backgroundRoutes,
  ...workerRoutes,
  ...workerMetricRoutes,
  ...slotRoutes,
  ...operationRoutes,
  ...rankingRoutes,
  ...boardRoutes,
  ...healthRoutes,
  ...fleetRoutes,
  ...scoringRoutes,
  ...durationsRoutes,
  ...rollupRoutes,
  ...liveRoutes,
  ...tokenRoutes,
  ...workerTokenRoutes,
  ...meRoutes,
  ...orgRoutes,
  ...memberRoutes,
  ...peopleRoutes,
  ...auditRoutes,
  ...adminRoutes,
];

/** Every route of the API, in the order in which they are matched: fixed steps before parameters. */
import { auditRoutes } from "./audit/routes.ts";
import { liveRoutes } from "./board/live_routes.ts";
import { boardRoutes } from "./board/routes.ts";
import { historyRoutes } from "./jobs/history_routes.ts";
import { logRoutes } from "./jobs/log_routes.ts";
import { jobRoutes } from "./jobs/routes.ts";
import { peopleRoutes } from "./members/people_routes.ts";
import { memberRoutes } from "./members/routes.ts";
import { operationRoutes } from "./operations.ts";
import { orgRoutes } from "./orgs.ts";
import { queueRoutes } from "./queues/routes.ts";
import type { Route } from "./route.ts";
import { meRoutes } from "./tokens/me.ts";
import { tokenRoutes } from "./tokens/routes.ts";
import { workerTokenRoutes } from "./tokens/worker_routes.ts";
import { workerRoutes } from "./workers/routes.ts";
import { workflowRoutes } from "./workflows/routes.ts";

export const ALL_ROUTES: readonly Route[] = [
  ...jobRoutes,
  ...historyRoutes,
  ...logRoutes,
  ...workflowRoutes,
  ...queueRoutes,
  ...workerRoutes,
  ...operationRoutes,
  ...boardRoutes,
  ...liveRoutes,
  ...tokenRoutes,
  ...workerTokenRoutes,
  ...meRoutes,
  ...orgRoutes,
  ...memberRoutes,
  ...peopleRoutes,
  ...auditRoutes,
];

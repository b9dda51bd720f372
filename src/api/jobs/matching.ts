/** Cancel and retry of everything that matches. */
import type { FilterFields } from "../../core/search/fields.ts";
import type { Begun } from "../../engine/operator/bulk.ts";
import { inOrg } from "../allowed.ts";
import { orgParams } from "../query.ts";
import { type Reply, type Route, route } from "../route.ts";
import { matchingAnswer, matchingInput } from "./schemas.ts";

/** Two routes with one shape: the verb is the last step of the path. */
export function onMatching(verb: "cancel" | "retry"): Route {
  return route({
    method: "post",
    path: `/orgs/{org}/jobs/${verb}`,
    tag: "Jobs",
    summary: verb === "cancel" ? "Cancel all jobs that match" : "Retry all jobs that match",
    allow: inOrg("operate"),
    description:
      "Goes on in the background: `GET /operations/{id}` shows how far it is. With `delay_seconds` it begins " +
      "so much later, and `POST /operations/{id}/undo` calls it off whole until then; jobs that are submitted " +
      "meanwhile are left alone.",
    params: orgParams,
    body: matchingInput,
    answers: {
      202: {
        description: "Begun; with `dry_run` only counted, and `operation` is null",
        schema: matchingAnswer,
      },
    },
    handle: async ({ params, body, caller, deps, receipt }) => {
      const { bulk } = deps.engine;
      const ask = { kind: verb, org: params.org, filter: body.filter as FilterFields };
      if (body.dry_run) {
        const isWhole = caller.scope.isSuperuser;
        const { affected, isComplete, queues } = await bulk.preview(ask, { isWhole });
        const counted = { operation: null, affected, complete: isComplete, queues };
        return { status: 202, body: counted };
      }
      const options = { reason: body.reason, delaySeconds: body.delay_seconds };
      return answered(await bulk.begin(ask, options, caller.author, receipt));
    },
    fromReceipt: async (receipt) => answered(receipt as Begun),
  });
}

function answered({ operation, affected, isComplete }: Begun): Reply {
  return { status: 202, body: { operation, affected, complete: isComplete } };
}

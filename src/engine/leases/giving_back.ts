/** Attempts that end because their worker never got them. */
import { resolveLapse, resolveReport } from "../../core/job_end.ts";
import type { EngineContext } from "../context.ts";
import type { Ender } from "../ender.ts";
import { endOf, type Lease } from "../lease.ts";
import type { Session } from "../session.ts";

interface Parts {
  readonly context: EngineContext;
  readonly ender: Ender;
}

/** The job is ready again. */
export function giveBack({ context, ender }: Parts, session: Session, lease: Lease): void {
  if (lease.ending) return;
  lease.ending = true;
  session.unreserve(lease);
  const ending = resolveLapse("dispatched", lease);
  const end = endOf(lease, ending, { at: context.clock.now(), random: Math.random() });
  ender.end(session, [{ lease, report: null, end }]);
}

/** No worker can ever get it: the job has failed. */
export function giveUp(
  { context, ender }: Parts,
  session: Session,
  lease: Lease,
  why: string,
): void {
  lease.ending = true;
  session.unreserve(lease);
  const ending = resolveReport("failed", "unsendable", { ...lease, max_attempts: 0 });
  const facts = { at: context.clock.now(), random: 0, error: why };
  ender.end(session, [{ lease, report: null, end: endOf(lease, ending, facts) }]);
}

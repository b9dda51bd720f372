/** Jobs that a running job adds: the worker is answered with their ids, or why not. */
import type { EngineContext } from "../context.ts";
import { InvalidInput, NotFound } from "../engine.ts";
import type { SessionHost } from "../session_host.ts";
import type { Workflows } from "./workflows.ts";

type Asked = Parameters<SessionHost["submit"]>;

/** Never rejects. */
export async function answerSubmit(
  { names, log }: EngineContext,
  workflows: Workflows,
  { session, lease, frame }: { session: Asked[0]; lease: Asked[1]; frame: Asked[2] },
): Promise<void> {
  const { job, attempt, token, batch } = frame;
  const name = names.jobName(lease.name);
  try {
    const holder = { job, attempt, token, org: lease.org, name };
    const ids = await workflows.addByJob(holder, batch, frame.jobs);
    session.send({ type: "submitted", job, attempt, token, batch, ids });
  } catch (error) {
    const known = error instanceof InvalidInput || error instanceof NotFound;
    if (!known) log.error({ job, error: String(error) }, "a batch was not added");
    const why = known ? (error as Error).message : "The server could not add these jobs.";
    session.send({ type: "submitted", job, attempt, token, batch, error: why });
  }
}

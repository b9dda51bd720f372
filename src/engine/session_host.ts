import type { Hello, WorkerFrame } from "../messages/frames.ts";
import type { EngineContext } from "./context.ts";
import type { Ender } from "./ender.ts";
import type { Lease } from "./lease.ts";
import type { Session } from "./session.ts";

/** What a session asks of the engine around it. */
export interface SessionHost {
  /** The welcome was sent: offer it jobs, and settle what its hello named. */
  joined(session: Session, hello: Hello): void;
  readonly context: EngineContext;
  readonly ender: Ender;
  /** A slot came free, or the worker can take something else now. */
  freed(session: Session): void;
  beat(session: Session): void;
  acknowledged(session: Session, leases: Lease[]): void;
  progressed(lease: Lease): void;
  draining(session: Session): void;
  /** Resolves when the batch was answered; never rejects. */
  submit(
    session: Session,
    lease: Lease,
    frame: Extract<WorkerFrame, { type: "submit" }>,
  ): Promise<void>;
  left(session: Session, reason: string): void;
  /** Of what this beat leased to the session nothing lives any more. */
  emptied(batch: { beat: string; session: number }): void;
}

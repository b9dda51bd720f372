/**
 * Why a server ends a worker's connection. The code goes out in an `error` frame, then the socket
 * is closed with the number; 4000 and up are ours, the others are RFC 6455's.
 */
export const REFUSALS = {
  /** The token is not a worker token of this server. */
  unauthorized: 4401,
  /** The token is good, but does not allow what the worker offers: the sentence says what it does. */
  not_allowed: 4403,
  /** No `hello` in time. */
  hello_timeout: 4408,
  /** A newer `hello` with the same id and token took over. Also said by the engine. */
  superseded: 4409,
  /** A log chunk begins after what the server has: reconnect, `welcome` says where to go on. */
  log_gap: 4416,
  /** Too many wrong tokens came from this address: try again later. */
  too_many_attempts: 4429,
  /** A protocol version that this server does not speak. */
  unsupported_protocol: 4426,
  /** Not JSON, not a frame, or a field that a frame does not have. */
  malformed: 1007,
  /** A frame at the wrong time: a report before `hello`, a second `hello`. */
  out_of_order: 1008,
  too_large: 1009,
  /** More than a worker can honestly have to say. */
  too_fast: 1008,
  /** The worker reads too slowly. */
  slow_consumer: 1013,
  /** The disk is behind with logs. */
  log_backlog: 1013,
  /** The server could not do it now, for want of its database for example: try again. */
  unavailable: 1013,
  internal: 1011,
  /** The server stops: reconnect, to another replica or to this one after its restart. */
  stopping: 1001,
} as const;

/** The close code of a refusal; the engine has words of its own. */
export function closeCode(code: string): number {
  return (REFUSALS as Record<string, number>)[code] ?? 4400;
}

export interface Refusal {
  code: keyof typeof REFUSALS;
  /** A sentence for whoever reads the worker's log. Never repeats a token. */
  message: string;
}

/** An attempt's log on the page: its end as HTML, and what comes after it as a stream. */
import type { LogStore } from "../../blobs/log_store.ts";
import { AnsiWriter } from "../../web/ansi.ts";

/** How much of a long log the page prints; the rest is a download away. */
export const TAIL_BYTES = 256 * 1024;
/** Read before the tail, to know which colours are on where it begins. */
const LEAD_BYTES = 16 * 1024;
export const CHUNK_BYTES = 64 * 1024;

type Logs = Pick<LogStore, "size" | "read">;

export interface LogTail {
  html: string;
  size: number;
  /** Bytes before what is shown. */
  from: number;
}

export async function readTail(logs: Logs, job: string, attempt: number): Promise<LogTail> {
  // A job that was never dispatched has no attempt, and so no log.
  if (attempt === 0) return { html: "", size: 0, from: 0 };
  const size = await logs.size(job, attempt);
  const from = Math.max(0, size - TAIL_BYTES);
  const { html, to } = await readPiece(
    logs,
    job,
    attempt,
    from,
    size,
    await leadIn(logs, job, attempt, from),
  );
  return { html, size: to, from };
}

/** A writer in the state that the log's bytes before `at` leave it in. */
export async function leadIn(
  logs: Logs,
  job: string,
  attempt: number,
  at: number,
): Promise<AnsiWriter> {
  const writer = new AnsiWriter();
  if (at > 0) {
    const bytes = await readBytes(logs, job, attempt, Math.max(0, at - LEAD_BYTES), at);
    writer.write(new TextDecoder().decode(bytes));
  }
  return writer;
}

/**
 * Bytes `from` up to at most `to` as HTML. It ends before a character or an escape sequence that is
 * not whole yet; `to` in the answer says where.
 */
export async function readPiece(
  logs: Logs,
  job: string,
  attempt: number,
  from: number,
  to: number,
  writer: AnsiWriter,
): Promise<{ html: string; to: number }> {
  const bytes = await readBytes(logs, job, attempt, from, to);
  const whole = bytes.subarray(0, wholeLength(bytes));
  return { html: writer.write(new TextDecoder().decode(whole)), to: from + whole.length };
}

async function readBytes(
  logs: Logs,
  job: string,
  attempt: number,
  from: number,
  to: number,
): Promise<Uint8Array> {
  if (to <= from) return new Uint8Array();
  const slice = await logs.read(job, attempt, { from, to });
  if (!slice) return new Uint8Array();
  if (slice.body instanceof Uint8Array) return slice.body;
  return new Uint8Array(await new Response(slice.body).arrayBuffer());
}

const ESCAPE_MAX = 64;

/** How many bytes can be printed now, whatever comes next. */
export function wholeLength(bytes: Uint8Array): number {
  let end = bytes.length;
  // At most three bytes of a character can be there without its last.
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if ((byte & 0xc0) === 0x80) continue;
    const needs = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    if (needs > back) end = bytes.length - back;
    break;
  }
  const start = bytes.subarray(0, end).lastIndexOf(0x1b);
  if (start >= 0 && end - start < ESCAPE_MAX) {
    const rest = new TextDecoder("latin1").decode(bytes.subarray(start, end));
    if (/^\x1b(?:\[[0-9:;<=>?]*[ -/]*)?$/.test(rest)) end = start;
  }
  // A carriage return at the end may be the first half of a line break.
  if (end > 0 && bytes[end - 1] === 0x0d) end -= 1;
  return end;
}

/**
 * Text from a socket → a frame that is valid and storable, or the reason why not.
 *
 * What is no frame ends its connection: a worker that speaks another language cannot be guessed at.
 * A result that cannot be stored ends only its job: the frame is fine, the job's own output is not.
 */
import { Buffer } from "node:buffer";
import type { z } from "zod";
import { checkStorable, cleanJson, clipText } from "../core/storable.ts";
import {
  type FinishedReport,
  FRAME_MAX_BYTES,
  RESULT_MAX_BYTES,
  type WorkerFrame,
  workerFrame,
} from "../messages/frames.ts";
import { plainFrame } from "./plain_frames.ts";
import type { Refusal } from "./refusal.ts";

export type Decoded = { ok: true; frame: WorkerFrame } | ({ ok: false } & Refusal);

/** Deeper than any valid frame: a frame's own nesting, a payload's 64 levels, and some. */
const FRAME_MAX_DEPTH = 80;
const MESSAGE_MAX = 400;

/** Decodes and checks one text frame. Never throws. */
export function decodeFrame(text: string): Decoded {
  const parsed = parseFrame(text);
  return parsed.ok ? checkFrame(parsed.value, text) : parsed;
}

/** JSON alone, bounded: what may be done for a peer that has not shown its token yet. */
export function parseFrame(text: string): { ok: true; value: unknown } | ({ ok: false } & Refusal) {
  if (isLonger(text, FRAME_MAX_BYTES)) {
    return refuse("too_large", `A frame is at most ${FRAME_MAX_BYTES} bytes.`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refuse("malformed", "A frame is a JSON object in a text message.");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return refuse("malformed", "A frame is a JSON object with a type.");
  }
  return { ok: true, value };
}

/** Validates what `parseFrame` returned. `text` is where it came from: most need no cleaning. */
export function checkFrame(value: unknown, text: string): Decoded {
  const plain = plainFrame(value);
  const clean = isCleanText(text);
  if (plain !== null && clean) return { ok: true, frame: bounded(plain, text.length) };
  // A log is a file and keeps its NULs; everything else goes to the database.
  const isLog = (value as { type?: unknown }).type === "log";
  const parsed = workerFrame.safeParse(clean || isLog ? value : cleanJson(value, FRAME_MAX_DEPTH));
  if (!parsed.success) return refuse("malformed", describe(parsed.error));
  return { ok: true, frame: bounded(parsed.data, text.length) };
}

/**
 * NUL and lone surrogates can stand in JSON text only as `\u` escapes: UTF-8 has no surrogates and
 * JSON no raw control characters. So a text without escapes needs no walk through its values.
 */
function isCleanText(text: string): boolean {
  return !text.includes("\\u") && text.isWellFormed();
}

/** Results are as deep and as large as can be stored, or their job fails with a reason. */
function bounded(frame: WorkerFrame, textLength: number): WorkerFrame {
  const reports =
    frame.type === "finished" ? frame.jobs : frame.type === "hello" ? frame.unrecorded : null;
  if (reports === null) return frame;
  for (const [i, report] of reports.entries()) {
    if (typeof report.result !== "object" && typeof report.result !== "string") continue;
    if (typeof report.result === "string" && textLength <= RESULT_MAX_BYTES) continue;
    const wrong = checkStorable(report.result);
    if (wrong !== null) reports[i] = unstorable(report, wrong);
  }
  return frame;
}

function unstorable(report: FinishedReport, wrong: string): FinishedReport {
  const { result: _, ...rest } = report;
  const error = `Its result cannot be stored. ${wrong}`;
  if (report.outcome !== "succeeded") {
    return { ...rest, error: report.error ? `${report.error}\n${error}`.slice(0, 65_536) : error };
  }
  return { ...rest, outcome: "failed", reason: "unstorable_report", error };
}

/** The first problems of a frame, by path; never its values, which may be secrets. */
function describe(error: z.ZodError): string {
  const lines = error.issues.slice(0, 3).map((issue) => {
    const path = issue.path.map(String).join(".");
    return `${path === "" ? "frame" : path}: ${issue.message}`;
  });
  return clipText(`Not a frame of this protocol: ${lines.join("; ")}`, MESSAGE_MAX);
}

function refuse(code: Refusal["code"], message: string): { ok: false } & Refusal {
  return { ok: false, code, message };
}

/** Whether `text` is longer in UTF-8; counts bytes only where its length leaves that open. */
function isLonger(text: string, maxBytes: number): boolean {
  if (text.length * 3 <= maxBytes) return false;
  return text.length > maxBytes || Buffer.byteLength(text) > maxBytes;
}

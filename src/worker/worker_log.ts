/** What the worker says about itself. Never holds a token, an environment or a job's output. */
import process from "node:process";

export type LogLevel = "debug" | "info" | "warn" | "error";
export type WorkerLog = (
  level: LogLevel,
  message: string,
  fields?: Record<string, unknown>,
) => void;

const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** One JSON line an entry, on standard error. */
export function stderrLog(name: string, least: LogLevel = "info"): WorkerLog {
  return (level, message, fields) => {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(least)) return;
    const time = new Date().toISOString();
    process.stderr.write(
      `${JSON.stringify({ time, level, worker: name, msg: message, ...fields })}\n`,
    );
  };
}

export const quietLog: WorkerLog = () => {};

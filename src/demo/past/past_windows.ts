/** What was usual lately in a past that is being played: what a server reads from its rollups. */
import { digits } from "../../core/history.ts";
import {
  type InstanceWindows,
  WINDOW_MS,
  WINDOW_NAMES,
  type Windowed,
  type WindowName,
} from "../../core/metrics/windows.ts";
import type { PastAttempt } from "./past_job.ts";
import { addToMean, createRollingMean, type RollingMean, readTotal } from "./rolling_mean.ts";

type Figure = Exclude<keyof InstanceWindows, "completed">;

export class PastWindows {
  readonly #means = new Map<Figure, Record<WindowName, RollingMean>>();

  ended({ outcome, stateAfter, performance, ...times }: PastAttempt): void {
    const at = times.endedAt;
    const { usage } = performance;
    this.#add("waitSeconds", at, (times.dispatchedAt - times.readyAt) / 1_000);
    this.#add("startLatencyMs", at, times.startedAt - times.dispatchedAt);
    if (outcome === "succeeded") this.#add("runMs", at, at - times.startedAt);
    this.#add("ramMb", at, usage.peak_ram_mb!);
    this.#add("cpuMs", at, usage.cpu_ms!);
    this.#add("diskBytes", at, usage.disk_read_bytes! + usage.disk_write_bytes!);
    this.#add("networkMbps", at, usage.network_mbps!);
    if (stateAfter === "succeeded") this.#add("failureShare", at, 0);
    if (stateAfter === "failed") this.#add("failureShare", at, 1);
  }

  read(now: number): InstanceWindows {
    const mean = (figure: Figure) =>
      this.#each(figure, now, ({ count, sum }) => (count === 0 ? null : digits(sum / count, 3)));
    return {
      waitSeconds: mean("waitSeconds"),
      startLatencyMs: mean("startLatencyMs"),
      runMs: mean("runMs"),
      ramMb: mean("ramMb"),
      cpuMs: mean("cpuMs"),
      diskBytes: mean("diskBytes"),
      networkMbps: mean("networkMbps"),
      completed: this.#each("failureShare", now, ({ count }) => count),
      failureShare: mean("failureShare"),
    };
  }

  #add(figure: Figure, at: number, value: number): void {
    for (const window of WINDOW_NAMES) addToMean(this.#of(figure)[window], at, value);
  }

  #each(
    figure: Figure,
    now: number,
    of: (total: { count: number; sum: number }) => number | null,
  ): Windowed {
    const own = this.#of(figure);
    const read = (window: WindowName) => of(readTotal(own[window], now));
    return { w5m: read("w5m"), w1h: read("w1h"), w24h: read("w24h") };
  }

  #of(figure: Figure): Record<WindowName, RollingMean> {
    let own = this.#means.get(figure);
    if (!own) {
      const made = (window: WindowName) => createRollingMean(WINDOW_MS[window]);
      own = { w5m: made("w5m"), w1h: made("w1h"), w24h: made("w24h") };
      this.#means.set(figure, own);
    }
    return own;
  }
}

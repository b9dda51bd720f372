/** Frames for properties: valid ones of each type, and every kind of damage to them. */
import fc from "fast-check";

export type Json = Record<string, unknown>;

const uuid = fc.uuid({ version: 7 });
const lease = { job: uuid, attempt: fc.integer({ min: 1, max: 9 }), token: fc.uuid() };
const amount = fc.double({ min: 0, max: 1e15, noNaN: true });
const count = fc.nat(1e9);
const rare = (arb: fc.Arbitrary<unknown>) => fc.option(arb, { nil: undefined, freq: 2 });

const usage = fc.record(
  {
    peak_ram_mb: amount,
    cpu_ms: amount,
    disk_read_bytes: amount,
    disk_write_bytes: amount,
    network_mbps: amount,
    oom_killed: fc.boolean(),
    source: fc.record(
      { ram: fc.constantFrom("cgroup", "proc"), cpu: fc.constant("rusage") },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: [] },
);
const items = fc.record(
  { success: count, failed: count, skipped: count },
  { requiredKeys: ["success"] },
);

export const report: fc.Arbitrary<Json> = fc.record(
  {
    ...lease,
    outcome: fc.constantFrom("succeeded", "failed", "timed_out", "cancelled", "released"),
    reason: fc.string({ maxLength: 40 }),
    exit_code: fc.integer(),
    signal: fc.constantFrom("SIGKILL", "SIGTERM"),
    result: fc.jsonValue(),
    error: fc.string({ maxLength: 40 }),
    run_ms: amount,
    log_bytes: count,
    usage,
    items,
  },
  { requiredKeys: ["job", "attempt", "token", "outcome"] },
);

const list = (item: fc.Arbitrary<unknown>) => fc.array(item, { minLength: 1, maxLength: 4 });
const leases = list(fc.record(lease));
const metrics = fc.record({ cpu_pct: fc.nat(100), ram_free_mb: amount }, { requiredKeys: [] });
const workflowJob = fc.record(
  {
    key: fc.constantFrom("a", "b", "c"),
    name: fc.constantFrom("x", "y/z"),
    payload: fc.constant({ command: ["true"] }),
    depends_on: fc.constantFrom([], ["a"], ["b", { job: "0198c0de-8f00-7abc-8def-0123456789ab" }]),
  },
  { requiredKeys: ["key", "name", "payload"] },
);

/** Every frame a worker may send after `hello`. */
export const reports: fc.Arbitrary<Json> = fc.oneof(
  fc.record({ type: fc.constant("started"), jobs: leases }),
  fc.record({ type: fc.constant("finished"), jobs: list(report) }),
  fc.record({
    type: fc.constant("progress"),
    jobs: list(fc.record({ ...lease, fraction: rare(fc.double({ min: 0, max: 1, noNaN: true })) })),
  }),
  fc.record({
    type: fc.constant("log"),
    chunks: list(fc.record({ ...lease, offset: count, data: fc.string({ unit: "binary" }) })),
  }),
  fc.record({ type: fc.constant("heartbeat"), metrics: rare(metrics) }),
  fc.record({ type: fc.constant("cancelling"), jobs: leases }),
  fc.record({ type: fc.constant("draining") }),
  fc.record({
    type: fc.constant("rejected"),
    jobs: list(fc.record({ ...lease, reason: fc.string({ maxLength: 20 }) })),
  }),
  fc.record({
    type: fc.constant("submit"),
    ...lease,
    batch: fc.constantFrom("1", "2"),
    jobs: list(workflowJob),
  }),
) as fc.Arbitrary<Json>;

/** What may stand where something else belongs. */
export const poison: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(
    null,
    true,
    "",
    "\u0000",
    "a\u0000b",
    "\ud800",
    "x\udfff",
    0,
    -1,
    -0,
    1.5,
    2 ** 31,
    2 ** 53,
    1e308,
    -1e308,
    [],
    {},
    [[]],
    [null],
    "x".repeat(70_000),
  ),
  fc.jsonValue(),
  fc.constant(nested(200)),
);

export function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i += 1) value = i % 2 ? [value] : { a: value };
  return value;
}

/** Paths to every value within a JSON value, the root excluded. */
function paths(value: unknown, path: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== "object" || value === null) return path.length ? [path] : [];
  const below = Object.entries(value).flatMap(([key, item]) => paths(item, [...path, key]));
  return path.length ? [path, ...below] : below;
}

function edit(root: Json, path: (string | number)[], change: (holder: Json, key: string) => void) {
  const copy = structuredClone(root);
  let holder = copy;
  for (const key of path.slice(0, -1)) holder = holder[key] as Json;
  change(holder, String(path.at(-1)));
  return copy;
}

const UNKNOWN_KEYS = ["extra", "__proto__", "constructor", "toString", "\u0000", "\ud800", ""];

/** A frame with one thing wrong: replaced, removed, added, or of another shape altogether. */
export function damaged(frames: fc.Arbitrary<Json>): fc.Arbitrary<Json> {
  return fc
    .record({
      frame: frames,
      kind: fc.constantFrom("replace", "remove", "add", "prototype"),
      at: fc.nat(),
      value: poison,
      name: fc.constantFrom(...UNKNOWN_KEYS),
    })
    .map(({ frame, kind, at, value, name }) => {
      const all = paths(frame);
      const path = all[at % all.length]!;
      return edit(frame, path, (holder, key) => {
        if (kind === "replace") holder[key] = value;
        else if (kind === "remove") delete holder[key];
        else define(holder, kind === "prototype" ? "__proto__" : name, value);
      });
    });
}

/** As JSON.parse would: an own property, even where it is called `__proto__`. */
function define(holder: Json, key: string, value: unknown): void {
  Object.defineProperty(holder, key, { value, enumerable: true, writable: true });
}

/** Text that is no frame, from noise to nearly JSON. */
export const noise: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: "binary", maxLength: 200 }),
  fc.json(),
  reports.chain((frame) => {
    const text = JSON.stringify(frame);
    return fc.nat(text.length - 1).map((at) => text.slice(0, at));
  }),
  fc.constantFrom("", " ", "null", "[]", '""', "{}", '{"type":"hello"}', '{"type":["started"]}'),
  fc.constantFrom("[".repeat(100_000), '{"a":'.repeat(100_000), "x".repeat(1024 * 1024 + 1)),
);

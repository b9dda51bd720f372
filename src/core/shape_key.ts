/**
 * A shape is everything that eligibility reads of a job (engine rule 21). Its key is canonical:
 * jobs that ask for the same have the same key, however they wrote it. The engine interns its hash.
 */

export interface ShapeParts {
  org: number;
  queue: number;
  kind: "exec" | "handler";
  /** Interned name; it counts for handlers only. */
  name: number | null;
  requirements?: Readonly<NormalRequirements> | undefined;
}

export interface NormalRequirements {
  system?: string | undefined;
  features?: readonly string[] | undefined;
  pool?: string | undefined;
  ram_mb?: number | undefined;
  cpus?: number | undefined;
}

/** Features sorted and each once; what is absent or empty is left out; keys in a fixed order. */
export function normalRequirements(
  wanted: Readonly<NormalRequirements> | undefined,
): NormalRequirements {
  const normal: NormalRequirements = {};
  if (wanted?.system !== undefined) normal.system = wanted.system;
  if (wanted?.features !== undefined && wanted.features.length > 0) {
    // By code unit: a locale must not change what a shape is called.
    normal.features = [...new Set(wanted.features)].sort();
  }
  if (wanted?.pool !== undefined) normal.pool = wanted.pool;
  if (wanted?.ram_mb !== undefined) normal.ram_mb = wanted.ram_mb;
  if (wanted?.cpus !== undefined) normal.cpus = wanted.cpus;
  return normal;
}

/** JSON text: [org, queue, kind, name or null, requirements]. */
export function shapeKey(shape: ShapeParts): string {
  const { org, queue, kind, name, requirements } = shape;
  const named = kind === "handler" ? name : null;
  return JSON.stringify([org, queue, kind, named, normalRequirements(requirements)]);
}

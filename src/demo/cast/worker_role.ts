import { ORGANIZATIONS } from "./organizations.ts";

/** A worker of the demo: what it says of itself, and what befalls it. */
export interface WorkerRole {
  name: string;
  /** A uuid: the same at every start, so that it stays one worker. */
  id: string;
  /** Null: shared by all organizations. */
  org: string | null;
  pool: string;
  system: string;
  features: readonly string[];
  /** Names of `handler` jobs that it runs. */
  handlers: readonly string[];
  slots: number;
  cpus: number;
  ramMb: number;
  /** 2 needs half the time. */
  speed: number;
  /** `drains`: leaves for maintenance now and then. `drops`: its network fails. `crashes`: forgets all. */
  habit?: "drains" | "drops" | "crashes";
}

type Facts = Omit<WorkerRole, "id" | "features" | "pool" | "handlers"> & {
  features?: string[];
  pool?: string;
};

/** `place`: from 1, another for each worker. */
function role(place: number, facts: Facts): WorkerRole {
  const id = `de300000-0000-4000-8000-${place.toString(16).padStart(12, "0")}`;
  return { features: [], pool: "default", ...facts, id, handlers: handlersFor(facts.org) };
}

/** Of its organization; of a shared one, of all. */
function handlersFor(org: string | null): string[] {
  return ORGANIZATIONS.filter(({ name }) => org === null || name === org)
    .flatMap(({ tasks }) => tasks)
    .filter(({ kind }) => kind === "handler")
    .map(({ name }) => name);
}

const X86 = "x86_64-linux";
const ARM = "aarch64-linux";

export const FLEET: readonly WorkerRole[] = [
  role(1, {
    ...{ name: "forge-1", org: "tidewater", system: X86, pool: "forge" },
    ...{ features: ["kvm", "big-parallel"], slots: 5, cpus: 16, ramMb: 65_536, speed: 1.4 },
  }),
  role(2, {
    ...{ name: "forge-2", org: "tidewater", system: X86, pool: "forge", habit: "drains" },
    ...{ features: ["kvm"], slots: 4, cpus: 8, ramMb: 32_768, speed: 0.8 },
  }),
  role(3, {
    ...{ name: "k7-bench", org: "tidewater", system: ARM, pool: "hardware", habit: "drops" },
    ...{ features: ["board-k7"], slots: 1, cpus: 4, ramMb: 4_096, speed: 1 },
  }),
  role(4, {
    ...{ name: "k9-bench", org: "tidewater", system: ARM, pool: "hardware" },
    ...{ features: ["board-k9"], slots: 1, cpus: 4, ramMb: 8_192, speed: 1 },
  }),
  role(5, {
    ...{ name: "vault", org: "tidewater", system: X86, pool: "signing" },
    ...{ features: ["hsm"], slots: 1, cpus: 2, ramMb: 4_096, speed: 1 },
  }),
  role(6, {
    ...{ name: "albatross", org: "meridian", system: X86, pool: "cluster" },
    ...{ features: ["mpi", "avx512"], slots: 8, cpus: 48, ramMb: 196_608, speed: 1.2 },
  }),
  role(7, {
    ...{ name: "petrel", org: "meridian", system: X86, pool: "cluster", habit: "drains" },
    ...{ features: ["mpi"], slots: 4, cpus: 16, ramMb: 65_536, speed: 0.55 },
  }),
  role(8, {
    ...{ name: "tern", org: "meridian", system: X86, pool: "gpu" },
    ...{ features: ["cuda"], slots: 2, cpus: 12, ramMb: 98_304, speed: 1 },
  }),
  role(9, {
    ...{ name: "shop-blue", org: "hazel-and-rye", system: X86, pool: "web" },
    ...{ features: ["docker"], slots: 4, cpus: 8, ramMb: 16_384, speed: 1 },
  }),
  role(10, {
    ...{ name: "shop-green", org: "hazel-and-rye", system: X86, pool: "web", habit: "crashes" },
    ...{ features: ["docker"], slots: 3, cpus: 4, ramMb: 8_192, speed: 0.7 },
  }),
  role(11, {
    ...{ name: "commons-x86", org: null, system: X86, pool: "commons" },
    ...{ features: ["kvm"], slots: 6, cpus: 16, ramMb: 32_768, speed: 1 },
  }),
  role(12, {
    ...{ name: "commons-arm", org: null, system: ARM, pool: "commons" },
    ...{ features: ["kvm"], slots: 3, cpus: 8, ramMb: 16_384, speed: 0.6 },
  }),
];

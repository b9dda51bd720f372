/** What takes part in `throughput.ts`, and how one round of it is measured. */
import { cpuMs, cpuMsWithChildren } from "./cpu.ts";

export interface Contestant {
  name: string;
  /** Enqueues so many no-op jobs while nobody works. */
  fill(jobs: number): Promise<void>;
  /** Works them off; milliseconds until all are done and on record. */
  run(jobs: number): Promise<number>;
  /** Processes whose time counts, beside the database's. */
  pids(): number[];
  /** Throws where the round left something undone. */
  check?(jobs: number): Promise<void>;
  stop(): Promise<void>;
}

export interface Round {
  /** Jobs a second. */
  rate: number;
  /** Processor microseconds a job: of each of its own processes, and of the database's. */
  ownUs: number[];
  databaseUs: number;
}

export interface Setting {
  jobs: number;
  /** The postmaster. */
  database: number;
  /** Puts the database at rest before the clock starts: the same for everybody. */
  settle(): Promise<void>;
}

export async function measure(contestant: Contestant, setting: Setting): Promise<Round> {
  const { jobs, database } = setting;
  await contestant.fill(jobs);
  await setting.settle();
  const own = () => contestant.pids().map(cpuMs);
  const before = { own: own(), database: cpuMsWithChildren(database) };
  const ms = await contestant.run(jobs);
  const round = {
    rate: jobs / (ms / 1000),
    ownUs: own().map((ms, at) => ((ms - before.own[at]!) * 1000) / jobs),
    databaseUs: ((cpuMsWithChildren(database) - before.database) * 1000) / jobs,
  };
  await contestant.check?.(jobs);
  return round;
}

/** How far a task has come, pass by pass, as everybody may read it. */

export type PassName = "orphan_logs" | "lost_logs" | "partitions" | "sessions";

export interface PassProgress {
  pass: PassName;
  state: "waiting" | "running" | "done";
  /** What was looked at. */
  scanned: number;
  /** What of it was removed, cleared or ended. */
  removed: number;
  /** What was found wrong and left, because it could not be told to be safe. */
  left: number;
  /** RFC 3339. */
  started_at: string | null;
  finished_at: string | null;
}

/** Thrown where the task is not ours any more, or the server stops. */
export class TaskStopped extends Error {}

const EVERY_MS = 500;

export class Progress {
  readonly passes: PassProgress[];
  readonly #save: (passes: PassProgress[]) => Promise<void>;
  readonly #now: () => number;
  #saved = 0;

  /** `save` throws where the task is to go no further. */
  constructor(
    names: readonly PassName[],
    now: () => number,
    save: (passes: PassProgress[]) => Promise<void>,
  ) {
    this.passes = names.map((pass) => ({
      ...{ pass, state: "waiting", scanned: 0, removed: 0, left: 0 },
      ...{ started_at: null, finished_at: null },
    }));
    this.#now = now;
    this.#save = save;
  }

  async begin(name: PassName): Promise<PassProgress> {
    const pass = this.passes.find((one) => one.pass === name)!;
    pass.state = "running";
    pass.started_at = this.#time();
    await this.#write();
    return pass;
  }

  /** To be called after each small step: stands written half a second later at most. */
  async stepped(): Promise<void> {
    if (performance.now() - this.#saved >= EVERY_MS) await this.#write();
  }

  async end(pass: PassProgress): Promise<void> {
    pass.state = "done";
    pass.finished_at = this.#time();
    await this.#write();
  }

  async #write(): Promise<void> {
    await this.#save(this.passes);
    this.#saved = performance.now();
  }

  #time(): string {
    return new Date(this.#now()).toISOString();
  }
}

/** The one door of every background part: start and stop, in any order, any number of times. */
export interface Service {
  readonly name: string;
  start(): Promise<void> | void;
  stop(): Promise<void> | void;
}

export interface LoopOptions {
  name: string;
  /** Milliseconds between the end of one run and the start of the next, before jitter. */
  everyMs: number;
  /** Returns true to run again at once. Errors are reported and the loop goes on. */
  run(): Promise<unknown>;
  onError(error: unknown): void;
}

/** A service that runs again and again; `poke` makes the next run come at once. */
export class Loop implements Service {
  readonly name: string;
  readonly #options: LoopOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #next: ReturnType<typeof setImmediate> | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #stopped = true;

  constructor(options: LoopOptions) {
    this.name = options.name;
    this.#options = options;
  }

  start(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    this.poke();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#rest();
    await this.#running;
  }

  poke(): void {
    if (this.#stopped) return;
    if (this.#running) {
      this.#again = true;
      return;
    }
    this.#rest();
    this.#running = this.#turn();
  }

  /** No run by itself. */
  #rest(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#next);
  }

  async #turn(): Promise<void> {
    let again = false;
    try {
      again = (await this.#options.run()) === true;
    } catch (error) {
      this.#options.onError(error);
    }
    this.#running = undefined;
    if (this.#stopped) return;
    if (again || this.#again) {
      this.#again = false;
      // A turn of the event loop in between, so that a loop that never rests starves nobody.
      this.#next = setImmediate(() => this.poke());
      return;
    }
    // Jitter keeps replicas that started together from asking together.
    const wait = this.#options.everyMs * (0.9 + 0.2 * Math.random());
    this.#timer = setTimeout(() => this.poke(), wait);
  }
}

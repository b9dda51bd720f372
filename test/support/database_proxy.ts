/** A wire between an engine and PostgreSQL that can be cut, also exactly at a COMMIT. */
import { Buffer } from "node:buffer";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

export type AtCommit =
  /** It commits, and nobody hears of it. */
  | "lose_answer"
  /** It never arrives. */
  | "lose_commit";

/** "Ready for query, in no transaction": what the server sends after a commit. */
const IDLE = Buffer.from("Z\0\0\0\u0005I", "latin1");

/** Reads what a client sends: which statements a connection runs, by text, prepared or not. */
class Statements {
  #rest = Buffer.alloc(0);
  #started = false;
  readonly #prepared = new Map<string, string>();

  /** Texts of the statements that this data runs. */
  read(data: Buffer): string[] {
    this.#rest = Buffer.concat([this.#rest, data]);
    const run: string[] = [];
    for (;;) {
      // The first message has no type.
      const at = this.#started ? 1 : 0;
      if (this.#rest.length < at + 4) return run;
      const length = at + this.#rest.readUInt32BE(at);
      if (this.#rest.length < length) return run;
      const body = this.#rest.subarray(at + 4, length);
      const type = this.#started ? String.fromCharCode(this.#rest[0]!) : "";
      this.#rest = this.#rest.subarray(length);
      this.#started = true;
      const words = () => body.toString("latin1").split("\0", 2) as [string, string];
      if (type === "P") this.#prepared.set(...words());
      if (type === "B") run.push(this.#prepared.get(words()[1]) ?? "");
      if (type === "Q") run.push(words()[0]);
    }
  }
}

interface Pair {
  client: Socket;
  server: Socket;
  /** Its COMMIT must not be answered. */
  losing: boolean;
  /** Between a BEGIN and its end. */
  inside: boolean;
  /** The transaction under way ran a statement that the plan is about. */
  marked: boolean;
  /** Answers that are kept back. */
  kept: Buffer[] | undefined;
}

export class DatabaseProxy {
  readonly url: string;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  readonly #target: { host: string; port: number };
  #open = true;
  #plan: { what: AtCommit; text: RegExp; left: number } | undefined;
  #keep: { text: RegExp; kept(pair: Pair): void } | undefined;
  /** Who waits for a statement to be sent, and for how many more of it. */
  readonly #watchers = new Set<{ text: RegExp; left: number; seen(): void }>();
  /** Transactions that were cut at their COMMIT. */
  cuts = 0;

  private constructor(server: Server, target: URL) {
    this.#server = server;
    this.#target = { host: target.hostname, port: Number(target.port) };
    const url = new URL(target);
    url.hostname = "127.0.0.1";
    url.port = String((server.address() as AddressInfo).port);
    this.url = url.href;
  }

  static async start(url: string): Promise<DatabaseProxy> {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const proxy = new DatabaseProxy(server, new URL(url));
    server.on("connection", (client) => proxy.#accept(client));
    return proxy;
  }

  /** The next `times` transactions that run a statement like `text` lose their COMMIT or its answer. */
  cutAtCommit(what: AtCommit, text: RegExp, times = 1): void {
    this.#plan = { what, text, left: times };
  }

  /**
   * Keeps the answers to the connection that is next to run a statement like `text`; the statement
   * itself goes through. Resolves with what lets them go when the first of them is there.
   */
  async keepAnswer(text: RegExp): Promise<() => void> {
    const pair = await new Promise<Pair>((kept) => {
      this.#keep = { text, kept };
    });
    return () => {
      for (const data of pair.kept ?? []) pair.client.write(data);
      pair.kept = undefined;
    };
  }

  /** Resolves when a statement like `text` has been sent so many times. */
  sent(text: RegExp, times: number): Promise<void> {
    return new Promise((seen) => this.#watchers.add({ text, left: times, seen }));
  }

  /** Nobody gets through, until `restore`. */
  cut(): void {
    this.#open = false;
    for (const pair of this.#pairs) this.#end(pair);
  }

  restore(): void {
    this.#open = true;
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise<void>((done) => this.#server.close(() => done()));
  }

  #accept(client: Socket): void {
    if (!this.#open) {
      client.destroy();
      return;
    }
    const server = connect(this.#target);
    const pair: Pair = {
      client,
      server,
      losing: false,
      inside: false,
      marked: false,
      kept: undefined,
    };
    const statements = new Statements();
    this.#pairs.add(pair);
    client.on("data", (data) => {
      for (const text of statements.read(data as Buffer)) {
        this.#notice(pair, text);
        if (this.#losesCommit(pair, text)) return this.#end(pair);
      }
      server.write(data);
    });
    server.on("data", (data) => {
      if (pair.kept) this.#keepBack(pair, data as Buffer);
      else if (!pair.losing) client.write(data);
      else if ((data as Buffer).includes(IDLE)) this.#end(pair);
    });
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      socket.on("error", () => this.#end(pair));
      socket.on("close", () => this.#end(pair));
    }
  }

  #notice(pair: Pair, text: string): void {
    if (this.#keep?.text.test(text)) pair.kept ??= [];
    for (const watcher of this.#watchers) {
      if (!watcher.text.test(text)) continue;
      watcher.left -= 1;
      if (watcher.left > 0) continue;
      this.#watchers.delete(watcher);
      watcher.seen();
    }
  }

  #keepBack(pair: Pair, data: Buffer): void {
    pair.kept!.push(data);
    this.#keep?.kept(pair);
    this.#keep = undefined;
  }

  #losesCommit(pair: Pair, text: string): boolean {
    const plan = this.#plan;
    const begins = /^begin/i.test(text);
    const ends = /^(commit|rollback)/i.test(text);
    if (begins) pair.marked = false;
    if (plan && plan.left > 0 && plan.text.test(text)) pair.marked = true;
    // Outside of a transaction a statement commits by itself.
    const commits = /^commit/i.test(text) || (!pair.inside && !begins && !ends);
    pair.inside = begins || (pair.inside && !ends);
    if (!plan || !commits || !pair.marked) return false;
    pair.marked = false;
    plan.left -= 1;
    this.cuts += 1;
    pair.losing = true;
    return plan.what === "lose_commit";
  }

  #end(pair: Pair): void {
    this.#pairs.delete(pair);
    pair.client.destroy();
    pair.server.destroy();
  }
}

/** A wire between an engine and PostgreSQL that can be cut, also exactly at a COMMIT. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

export type AtCommit =
  /** It commits, and nobody hears of it. */
  | "lose_answer"
  /** It never arrives. */
  | "lose_commit";

interface Pair {
  client: Socket;
  server: Socket;
  /** Set once a COMMIT of this connection must not be answered. */
  losing: boolean;
}

export class DatabaseProxy {
  readonly url: string;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  readonly #target: { host: string; port: number };
  #open = true;
  #atCommit: { what: AtCommit; text: RegExp; left: number } | undefined;
  /** Connections that were cut at a COMMIT. */
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

  /** The next `times` transactions that sent something like `text` lose their COMMIT, or its answer. */
  cutAtCommit(what: AtCommit, text: RegExp, times = 1): void {
    this.#atCommit = { what, text, left: times };
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
    const pair: Pair = { client, server, losing: false };
    this.#pairs.add(pair);
    let matched = false;
    client.on("data", (data) => {
      const text = data.toString("latin1");
      const plan = this.#atCommit;
      if (plan && plan.left > 0 && plan.text.test(text)) matched = true;
      if (plan && matched && !pair.losing && /\bcommit\b/i.test(text)) {
        matched = false;
        plan.left -= 1;
        this.cuts += 1;
        if (plan.what === "lose_commit") return this.#end(pair);
        pair.losing = true;
      }
      if (/\brollback\b/i.test(text)) matched = false;
      server.write(data);
    });
    server.on("data", (data) => {
      if (!pair.losing) client.write(data);
      else if (data.toString("latin1").includes("COMMIT")) this.#end(pair);
    });
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      socket.on("error", () => this.#end(pair));
      socket.on("close", () => this.#end(pair));
    }
  }

  #end(pair: Pair): void {
    this.#pairs.delete(pair);
    pair.client.destroy();
    pair.server.destroy();
  }
}

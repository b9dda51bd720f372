/**
 * Server-sent events on a bare socket: what a browser's connection is, without what a client library
 * would hide. It can be cut by force, as when a lid is closed or a network goes away.
 */
import { connect, type Socket } from "node:net";
import { now } from "./clock.ts";
import { inTurns } from "./in_turns.ts";

export interface WireMessage {
  event: string;
  data: string;
  /** When its last byte was read from the socket, epoch milliseconds. */
  at: number;
}

export interface WireOptions {
  url: URL;
  headers: Record<string, string>;
  onMessage(message: WireMessage): void;
  /** The position to resume from, as it moves; when it was received. */
  onId(id: string, at: number): void;
  /** The other side ended it, or answered something else than a stream. */
  onEnd(why: string): void;
}

export class SseWire {
  bytes = 0;
  readonly #socket: Socket;
  readonly #options: WireOptions;
  #isOpen = true;
  /** The head first, then chunks: their frames are taken off, and what is left are messages. */
  #raw = "";
  #hasHead = false;
  /** Read, and not looked at yet. */
  #arrived: { bytes: Buffer; at: number }[] = [];
  #text = "";

  constructor(options: WireOptions) {
    const { url, headers } = options;
    this.#options = options;
    this.#socket = connect(Number(url.port), url.hostname);
    this.#socket.setNoDelay(true);
    const lines = Object.entries({ host: url.host, accept: "text/event-stream", ...headers });
    const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    this.#socket.write(`GET ${url.pathname}${url.search} HTTP/1.1\r\n${head}\r\n`);
    // Two hundred viewers hear the same at one moment, on as many machines as there are people: here what one
    // makes of it would be time that the next has not yet received it.
    this.#socket.on("data", (bytes: Buffer) => {
      this.#arrived.push({ bytes, at: now() });
      if (this.#arrived.length === 1) inTurns(() => this.#takeAll());
    });
    this.#socket.on("error", (error) => this.#end(String(error)));
    this.#socket.on("close", () => inTurns(() => this.#end("closed")));
  }

  /** Nothing is said to the other side, and nothing that is on its way is read any more. */
  cut(): void {
    this.#isOpen = false;
    this.#socket.destroy();
  }

  #end(why: string): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#options.onEnd(why);
  }

  #takeAll(): void {
    const arrived = this.#arrived;
    this.#arrived = [];
    for (const { bytes, at } of arrived) this.#take(bytes, at);
  }

  #take(bytes: Buffer, at: number): void {
    if (!this.#isOpen) return;
    this.bytes += bytes.length;
    // A character a byte, so that the lengths of chunks are lengths of text. What is read is ASCII.
    this.#raw += bytes.toString("latin1");
    if (!this.#hasHead && !this.#takeHead()) return;
    this.#takeChunks();
    this.#takeMessages(at);
  }

  #takeHead(): boolean {
    const end = this.#raw.indexOf("\r\n\r\n");
    if (end < 0) return false;
    const head = this.#raw.slice(0, end);
    this.#raw = this.#raw.slice(end + 4);
    this.#hasHead = true;
    if (/^HTTP\/1\.1 200 /.test(head) && /transfer-encoding: chunked/i.test(head)) return true;
    this.#end(head);
    return false;
  }

  #takeChunks(): void {
    let at = 0;
    for (;;) {
      const line = this.#raw.indexOf("\r\n", at);
      if (line < 0) break;
      const length = Number.parseInt(this.#raw.slice(at, line), 16);
      const end = line + 2 + length;
      if (this.#raw.length < end + 2) break;
      this.#text += this.#raw.slice(line + 2, end);
      at = end + 2;
    }
    this.#raw = this.#raw.slice(at);
  }

  #takeMessages(at: number): void {
    const end = this.#text.lastIndexOf("\n\n");
    if (end < 0) return;
    const blocks = this.#text.slice(0, end).split("\n\n");
    this.#text = this.#text.slice(end + 2);
    for (const block of blocks) if (this.#isOpen) this.#say(block, at);
  }

  #say(block: string, at: number): void {
    let event = "";
    let id: string | undefined;
    const data: string[] = [];
    for (const line of block.split("\n")) {
      if (line.startsWith("data: ")) data.push(line.slice(6));
      else if (line.startsWith("event: ")) event = line.slice(7);
      else if (line.startsWith("id: ")) id = line.slice(4);
    }
    if (data.length > 0) this.#options.onMessage({ event, data: data.join("\n"), at });
    if (id !== undefined) this.#options.onId(id, at);
  }
}

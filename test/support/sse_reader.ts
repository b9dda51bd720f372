/** Reads server-sent events from a response body, as a program would. */

export interface SseMessage {
  event: string;
  id: string | undefined;
  data: string;
}

export class SseReader {
  readonly messages: SseMessage[] = [];
  /** The last id seen, also on a message without data. */
  lastId = "";
  ended = false;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #waiting: (() => void)[] = [];

  constructor(body: ReadableStream<Uint8Array>) {
    this.#reader = body.getReader();
    void this.#run();
  }

  /** Resolves with the messages once `enough` of them; rejects after `ms`. */
  async until(enough: (messages: SseMessage[]) => boolean, ms = 20_000): Promise<SseMessage[]> {
    const deadline = Date.now() + ms;
    while (!enough(this.messages)) {
      const left = deadline - Date.now();
      if (left <= 0 || this.ended) {
        const seen = JSON.stringify(this.messages).slice(0, 2_000);
        throw new Error(`not seen ${this.ended ? "before the end" : `within ${ms} ms`}: ${seen}`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    return this.messages;
  }

  of(event: string): SseMessage[] {
    return this.messages.filter((message) => message.event === event);
  }

  async close(): Promise<void> {
    await this.#reader.cancel();
  }

  async #run(): Promise<void> {
    const decoder = new TextDecoder();
    let text = "";
    for (;;) {
      const { done, value } = await this.#reader
        .read()
        .catch(() => ({ done: true, value: undefined }));
      if (done) break;
      text += decoder.decode(value, { stream: true });
      const blocks = text.split("\n\n");
      text = blocks.pop() ?? "";
      for (const block of blocks) this.#take(block);
      this.#wake();
    }
    this.ended = true;
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #take(block: string): void {
    const message: SseMessage = { event: "", id: undefined, data: "" };
    const data: string[] = [];
    for (const line of block.split("\n")) {
      const colon = line.indexOf(": ");
      const [field, value] = [line.slice(0, colon), line.slice(colon + 2)];
      if (field === "event") message.event = value;
      if (field === "id") message.id = value;
      if (field === "data") data.push(value);
    }
    if (message.id !== undefined) this.lastId = message.id;
    if (data.length === 0) return;
    this.messages.push({ ...message, data: data.join("\n") });
  }
}

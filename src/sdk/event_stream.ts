/** Server-sent events out of a response's body, as the HTML standard splits them. */

export interface StreamEvent {
  event: string;
  data: string;
  /** The last `id` seen so far: what `Last-Event-ID` must say to go on from here. */
  id: string | undefined;
}

/** An event larger than this is no event of ours. */
const EVENT_MAX_CHARS = 8 * 1024 * 1024;

/** Ends with the body; rejects with its error where the connection breaks. */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<StreamEvent, void, void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  let id: string | undefined;
  try {
    while (true) {
      const { done, value } = await reader.read();
      rest += done ? decoder.decode() : decoder.decode(value, { stream: true });
      // A lone \r at the end may be the first half of \r\n: leave it for the next read.
      const ready = rest.endsWith("\r") && !done ? rest.slice(0, -1) : rest;
      const blocks = ready.split(/\r\n\r\n|\n\n|\r\r/);
      rest = (blocks.pop() as string) + rest.slice(ready.length);
      if (rest.length > EVENT_MAX_CHARS)
        throw new Error("the event stream does not end its events");
      for (const block of blocks) {
        const event = parseEvent(block, id);
        id = event.id;
        if (event.data !== "" || event.event !== "message") yield event;
      }
      if (done) return;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

function parseEvent(block: string, lastId: string | undefined): StreamEvent {
  const data: string[] = [];
  const out: StreamEvent = { event: "message", data: "", id: lastId };
  for (const line of block.split(/\r\n|\n|\r/)) {
    const colon = line.indexOf(":");
    if (colon === 0) continue;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") data.push(value);
    else if (field === "event") out.event = value;
    else if (field === "id") out.id = value;
  }
  out.data = data.join("\n");
  return out;
}

/**
 * The outgoing half of one viewer: text goes in, a response body comes out, and what waits for a
 * slow reader is bounded. Past the bound everything that waits is dropped and the owner is told once
 * the reader has caught up, so that it can send the whole picture instead.
 */

export interface ViewerStream {
  readonly body: ReadableStream<Uint8Array>;
  /** False when the text was dropped because the viewer lags. */
  send(text: string): boolean;
  close(): void;
}

export interface ViewerStreamOptions {
  /** Bytes that may wait for the reader. */
  maxBytes: number;
  /** The reader of a stream that lost text is ready again. */
  onRecovered(): void;
  /** The reader is gone, or `close` was called. Called once. */
  onClosed(): void;
}

export function createViewerStream(options: ViewerStreamOptions): ViewerStream {
  const encoder = new TextEncoder();
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  let lagging = false;

  const finish = () => {
    if (!controller) return;
    controller = undefined;
    waiting = [];
    options.onClosed();
  };
  const hasRoom = () => (controller?.desiredSize ?? 0) > 0;
  const drain = () => {
    while (waiting.length > 0 && hasRoom()) {
      const chunk = waiting.shift()!;
      waitingBytes -= chunk.length;
      controller?.enqueue(chunk);
    }
    if (lagging && waiting.length === 0 && hasRoom()) {
      lagging = false;
      options.onRecovered();
    }
  };
  const body = new ReadableStream<Uint8Array>(
    {
      start: (own) => {
        controller = own;
      },
      pull: drain,
      cancel: finish,
    },
    { highWaterMark: 65_536, size: (chunk) => chunk?.length ?? 0 },
  );

  return {
    body,
    send: (text) => {
      if (!controller || lagging) return false;
      const chunk = encoder.encode(text);
      if (waiting.length === 0 && hasRoom()) {
        controller.enqueue(chunk);
        return true;
      }
      if (waitingBytes + chunk.length > options.maxBytes) {
        lagging = true;
        waiting = [];
        waitingBytes = 0;
        return false;
      }
      waiting.push(chunk);
      waitingBytes += chunk.length;
      return true;
    },
    close: () => {
      try {
        for (const chunk of waiting) controller?.enqueue(chunk);
        controller?.close();
      } catch {
        // The reader went away in the same moment.
      }
      finish();
    },
  };
}

/**
 * The outgoing half of one viewer: frames go in, a response body comes out, and what waits for a
 * slow reader is bounded. Past the bound everything that waits is dropped and the owner is told once
 * the reader has caught up, and how far it got, so that it can send what was dropped.
 */

export interface ViewerStream {
  readonly body: ReadableStream<Uint8Array>;
  /** False when the frame was dropped because the viewer lags. `position`: where it is with this frame. */
  send(frame: Uint8Array, position?: string): boolean;
  close(): void;
}

export interface ViewerStreamOptions {
  /** Bytes that may wait for the reader. */
  maxBytes: number;
  /** The reader of a stream that lost frames is ready again, and got everything up to `position`. */
  onRecovered(position: string): void;
  /** The reader is gone, or `close` was called. Called once. */
  onClosed(): void;
}

interface Waiting {
  frame: Uint8Array;
  position: string;
}

export function createViewerStream(options: ViewerStreamOptions): ViewerStream {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  let waiting: Waiting[] = [];
  let waitingBytes = 0;
  let lagging = false;
  let reached = "";

  const finish = () => {
    if (!controller) return;
    controller = undefined;
    waiting = [];
    options.onClosed();
  };
  const hasRoom = () => (controller?.desiredSize ?? 0) > 0;
  const pass = ({ frame, position }: Waiting) => {
    if (position !== "") reached = position;
    controller?.enqueue(frame);
  };
  const drain = () => {
    while (waiting.length > 0 && hasRoom()) {
      const next = waiting.shift()!;
      waitingBytes -= next.frame.length;
      pass(next);
    }
    if (lagging && waiting.length === 0 && hasRoom()) {
      lagging = false;
      options.onRecovered(reached);
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
    send: (frame, position = "") => {
      if (!controller || lagging) return false;
      if (waiting.length === 0 && hasRoom()) {
        pass({ frame, position });
        return true;
      }
      if (waitingBytes + frame.length > options.maxBytes) {
        lagging = true;
        waiting = [];
        waitingBytes = 0;
        return false;
      }
      waiting.push({ frame, position });
      waitingBytes += frame.length;
      return true;
    },
    close: () => {
      try {
        for (const { frame } of waiting) controller?.enqueue(frame);
        controller?.close();
      } catch {
        // The reader went away in the same moment.
      }
      finish();
    },
  };
}

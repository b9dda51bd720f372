/**
 * What is still being told ends with the credential that asked for it: live streams and exports. Wrapped
 * around answers in one place, so that no page and no route can forget it. A stream just ends: a browser
 * then asks again, and is told who it is by now. An export breaks, so that nobody takes a part of it for
 * the whole.
 */
import type { Access, Caller } from "../accounts/caller.ts";
import { isForeign } from "../accounts/same_origin.ts";

/** Nobody reads its trace: the reader sees that the connection broke. */
class Revoked extends Error {
  constructor() {
    super("Whoever asked for this may not read on.");
    this.name = "Revoked";
  }
}

/**
 * The answer itself, where it is neither. A cookie opens none for a page of another site. Throws
 * TooManyOpen where strangers have as many as they may.
 */
export function guarded(
  access: Access,
  caller: Caller,
  request: Request,
  response: Response,
): Response {
  const { headers } = response;
  const isStream = headers.get("content-type")?.startsWith("text/event-stream") === true;
  const isExport = headers.get("content-disposition")?.startsWith("attachment") === true;
  if (!(isStream || isExport) || response.body === null) return response;
  if (isStream && caller.via === "cookie" && isForeign(request)) {
    void response.body.cancel().catch(() => {});
    return new Response("Streams are for pages of this server.\n", { status: 403 });
  }
  const reader = response.body.getReader();
  try {
    const watch = (end: () => void) => access.watch(caller, end);
    return new Response(watched(watch, reader, isStream ? "ends" : "breaks"), response);
  } catch (error) {
    void reader.cancel().catch(() => {});
    throw error;
  }
}

function watched(
  watch: (end: () => void) => () => void,
  reader: ReadableStreamDefaultReader<Uint8Array>,
  afterwards: "ends" | "breaks",
): ReadableStream<Uint8Array> {
  let unwatch = () => {};
  const source: UnderlyingDefaultSource<Uint8Array> = {
    start: (controller) => {
      unwatch = watch(() => {
        // First the end for the reader: what the source does with its own may take its time.
        if (afterwards === "ends") controller.close();
        else controller.error(new Revoked());
        void reader.cancel().catch(() => {});
      });
    },
    pull: async (controller) => {
      const { done, value } = await reader.read().catch((error) => {
        unwatch();
        throw error;
      });
      try {
        if (!done) return controller.enqueue(value);
        unwatch();
        controller.close();
      } catch {
        // It was closed while we read.
      }
    },
    cancel: (reason) => {
      unwatch();
      return reader.cancel(reason);
    },
  };
  // Nothing is read ahead of who may read it.
  return new ReadableStream(source, { highWaterMark: 0 });
}

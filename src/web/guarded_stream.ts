/**
 * A live stream ends with the credential that opened it. Wrapped around answers in one place, so that
 * no page and no route can forget it; a browser then asks again, and is told who it is by now.
 */
import type { Access, Caller } from "../accounts/caller.ts";
import { isForeign } from "../accounts/same_origin.ts";

/** The answer itself, where it is no stream. A cookie opens none for a page of another site. */
export function guarded(
  access: Access,
  caller: Caller,
  request: Request,
  response: Response,
): Response {
  const isStream = response.headers.get("content-type")?.startsWith("text/event-stream") === true;
  if (!isStream || response.body === null) return response;
  if (caller.via === "cookie" && isForeign(request)) {
    void response.body.cancel().catch(() => {});
    return new Response("Streams are for pages of this server.\n", { status: 403 });
  }
  const reader = response.body.getReader();
  let unwatch = () => {};
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      unwatch = access.watch(caller, () => {
        // First the end for the reader: what the source does with its own may take its time.
        controller.close();
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
  });
  return new Response(body, response);
}

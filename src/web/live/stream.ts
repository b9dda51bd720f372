/** The live stream for pages: `/board/stream?panels=a,b&since=…`, HTML fragments that htmx swaps in. */
import type { Hono } from "hono";
import { PageError } from "../errors.ts";
import type { BoardContext, BoardEnv, BoardPage, Shell } from "../shell.ts";
import { SSE_HEADERS } from "./sse.ts";

const PANELS_MAX = 8;

export function mountStream(app: Hono<BoardEnv>, shell: Shell, pages: readonly BoardPage[]): void {
  const panels = new Map(pages.flatMap((page) => Object.entries(page.panels?.(shell) ?? {})));

  app.get("/board/stream", async (c: BoardContext) => {
    const params = new URL(c.req.url).searchParams;
    const wanted = new Set((params.get("panels") ?? "").split(",").filter((name) => name !== ""));
    if (wanted.size === 0 || wanted.size > PANELS_MAX) {
      throw new PageError(422, "No such stream", "Name between one and eight panels.");
    }
    const caller = c.get("caller");
    const requests = [...wanted].map((name) => {
      const panel = panels.get(name);
      if (!panel) throw new PageError(422, "No such panel", `There is no panel "${name}".`);
      return panel(params, caller.scope);
    });
    const { engine } = shell.deps;
    const body = shell.deps.live.stream(requests, {
      // What the browser has by now counts more than what its page was printed with.
      since: c.req.header("last-event-id") || params.get("since") || null,
      wasCut: Boolean(c.req.header("last-event-id")),
      now: () => engine.now(),
      hello: `event: hello\ndata: ${JSON.stringify({ now: engine.now() })}\n\n`,
    });
    return new Response(body, { headers: SSE_HEADERS });
  });
}

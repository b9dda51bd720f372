/** One WebSocket on Deno, which limits neither frames nor buffers by itself. */
import {
  BACKPRESSURE_MAX_BYTES,
  CLOSE_NOT_TEXT,
  CLOSE_SLOW_PEER,
  CLOSE_TOO_BIG,
  closeReason,
  IDLE_SECONDS,
  type SocketHandlers,
} from "./contract.ts";

declare const Deno: {
  upgradeWebSocket(request: Request, options: object): { socket: WebSocket; response: Response };
};

/** Answers an upgrade request, or `undefined` where it is none. */
export function upgradeToSocket(
  request: Request,
  handlers: SocketHandlers,
  maxFrameBytes: number,
): Response | undefined {
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") return undefined;
  const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: IDLE_SECONDS });
  let ended = false;
  const end = (code: number, reason: string) => {
    if (!ended) handlers.close(code, reason);
    ended = true;
  };
  const close = (code: number, reason: string) => {
    if (socket.readyState <= WebSocket.OPEN) socket.close(code, closeReason(reason));
  };
  const own = {
    buffered: () => socket.bufferedAmount,
    send(text: string) {
      if (socket.readyState !== WebSocket.OPEN) return;
      if (socket.bufferedAmount <= BACKPRESSURE_MAX_BYTES) return socket.send(text);
      close(CLOSE_SLOW_PEER.code, CLOSE_SLOW_PEER.reason);
      // A peer that does not read will not answer the close frame either.
      end(CLOSE_SLOW_PEER.code, CLOSE_SLOW_PEER.reason);
    },
    close,
  };
  socket.onopen = () => handlers.open(own);
  socket.onmessage = ({ data }) => {
    if (socket.readyState !== WebSocket.OPEN) return;
    if (typeof data !== "string") return close(CLOSE_NOT_TEXT.code, CLOSE_NOT_TEXT.reason);
    if (!isLonger(data, maxFrameBytes)) return handlers.message(own, data);
    close(CLOSE_TOO_BIG.code, CLOSE_TOO_BIG.reason);
  };
  socket.onclose = (event) => end(event.code, event.reason);
  socket.onerror = () => {};
  return response;
}

/** Whether `text` is longer in UTF-8; counts bytes only where the length in UTF-16 leaves it open. */
function isLonger(text: string, maxBytes: number): boolean {
  if (text.length * 3 <= maxBytes) return false;
  return text.length > maxBytes || new TextEncoder().encode(text).length > maxBytes;
}

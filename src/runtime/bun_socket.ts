/** What Bun.serve is told about sockets. */
import {
  BACKPRESSURE_MAX_BYTES,
  CLOSE_NOT_TEXT,
  CLOSE_SLOW_PEER,
  CLOSE_TOO_BIG,
  closeReason,
  IDLE_SECONDS,
  type ServerSocket,
  type SocketHandlers,
} from "./contract.ts";

export interface BunSocketData {
  handlers: SocketHandlers;
  socket?: ServerSocket;
}

interface BunSocket {
  data: BunSocketData;
  getBufferedAmount(): number;
  send(text: string): number;
  close(code: number, reason: string): void;
}

export function socketBehaviour(maxFrameBytes: number): object {
  return {
    // Bun itself ends a larger frame's connection with 1009, but tells us 1006.
    maxPayloadLength: maxFrameBytes,
    backpressureLimit: BACKPRESSURE_MAX_BYTES,
    idleTimeout: IDLE_SECONDS,
    open(ws: BunSocket) {
      ws.data.socket = wrap(ws);
      ws.data.handlers.open(ws.data.socket);
    },
    message(ws: BunSocket, data: string | Uint8Array) {
      if (typeof data === "string") ws.data.handlers.message(ws.data.socket!, data);
      else ws.close(CLOSE_NOT_TEXT.code, CLOSE_NOT_TEXT.reason);
    },
    close(ws: BunSocket, code: number, reason: string) {
      const tooBig = code === 1006 && reason.includes("too big");
      ws.data.handlers.close(tooBig ? CLOSE_TOO_BIG.code : code, reason);
    },
  };
}

function wrap(ws: BunSocket): ServerSocket {
  return {
    buffered: () => ws.getBufferedAmount(),
    send(text) {
      // 0: dropped, because the buffer is full (or the socket closed: then this close does nothing).
      if (ws.send(text) === 0) ws.close(CLOSE_SLOW_PEER.code, CLOSE_SLOW_PEER.reason);
    },
    close: (code, reason) => ws.close(code, closeReason(reason)),
  };
}

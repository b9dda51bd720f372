/** A TCP relay that a test can cut like a cable: open connections end, new ones are refused. */
import { connect, createServer, type Server, type Socket } from "node:net";

export interface CutProxy {
  readonly url: string;
  cut(): void;
  mend(): void;
  close(): Promise<void>;
}

export async function cutProxy(target: string): Promise<CutProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let whole = true;
  const track = (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => sockets.delete(socket));
  };
  const server: Server = createServer((from) => {
    track(from);
    if (!whole) {
      from.resetAndDestroy();
      return;
    }
    const to = connect(Number(port), hostname);
    track(to);
    from.pipe(to).pipe(from);
    from.on("close", () => to.destroy());
    to.on("close", () => from.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const own = (server.address() as { port: number }).port;
  return {
    url: `http://127.0.0.1:${own}`,
    cut: () => {
      whole = false;
      for (const socket of sockets) socket.resetAndDestroy();
    },
    mend: () => {
      whole = true;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

import { createServer } from "node:net";

/** A port on 127.0.0.1 that is free now: `wanted` where possible (0: any). */
export async function freePort(wanted: number): Promise<number> {
  return (wanted > 0 && (await tryPort(wanted))) || (await tryPort(0)) || fail();
}

function tryPort(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen(port, "127.0.0.1", () => {
      const address = server.address();
      const given = typeof address === "object" && address ? address.port : undefined;
      server.close(() => resolve(given));
    });
  });
}

function fail(): never {
  throw new Error("No port is free on 127.0.0.1 for the embedded PostgreSQL.");
}

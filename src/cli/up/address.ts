/** Where a server that was told to listen somewhere can be reached from this machine. Pure. */

/** `0.0.0.0` and `::` mean every address: from here, the loopback one. */
export function localAddress(host: string, port: number): string {
  if (host === "0.0.0.0" || host === "") return `127.0.0.1:${port}`;
  if (host === "::" || host === "[::]") return `[::1]:${port}`;
  return host.includes(":") && !host.startsWith("[") ? `[${host}]:${port}` : `${host}:${port}`;
}

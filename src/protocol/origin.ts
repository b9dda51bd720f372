/**
 * Whether a request may open a socket. Programs send no Origin; a browser always does, and one
 * that was led here from another site must not be able to speak with this server behind the
 * user's firewall, not even to try tokens.
 */
export function isOwnOrigin(request: Request): boolean {
  const origin = request.headers.get("origin");
  if (origin === null) return true;
  const host = request.headers.get("host") ?? new URL(request.url).host;
  try {
    return new URL(origin).host === host.toLowerCase();
  } catch {
    // "null", from a sandboxed frame or a file, is nobody's origin.
    return false;
  }
}

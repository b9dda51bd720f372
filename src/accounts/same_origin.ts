/** Requests that a browser may have been tricked into: which are unsafe, and whether a page of ours sent one. */

export function isUnsafe(request: Request): boolean {
  return !["GET", "HEAD", "OPTIONS"].includes(request.method);
}

/** Whether a browser says that a page of another site asks. Programs say nothing of the kind. */
export function isForeign(request: Request): boolean {
  const site = request.headers.get("sec-fetch-site");
  if (site !== null) return site !== "same-origin" && site !== "none";
  return request.headers.has("origin") && !isSameOrigin(request);
}

/**
 * Whether a browser says that one of our own pages sent this. Browsers set `Sec-Fetch-Site` and
 * `Origin` themselves and no page can forge them; a request with neither is no browser of today,
 * and with a cookie it is refused.
 */
export function isSameOrigin(request: Request): boolean {
  const site = request.headers.get("sec-fetch-site");
  if (site !== null) return site === "same-origin";
  const origin = request.headers.get("origin");
  if (origin === null) return false;
  try {
    return new URL(origin).host === (request.headers.get("host") ?? new URL(request.url).host);
  } catch {
    return false;
  }
}

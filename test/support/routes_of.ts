/** What an app answers to, as `METHOD /path/:param`. */
interface Registered {
  routes: readonly { method: string; path: string }[];
}

/** Middleware is registered for all methods, routes for one. */
export function routesOf(app: Registered): string[] {
  const own = app.routes.filter(({ method }) => method !== "ALL");
  return own.map(({ method, path }) => `${method} ${path}`);
}

/** People at browsers, for tests of the board: made, signed in, and sending its forms. */
import type { Person } from "../../../src/accounts/people.ts";
import type { Author } from "../../../src/core/author.ts";
import type { Role } from "../../../src/core/scope.ts";
import type { BoardBox } from "../board_box.ts";

export const ADMIN: Author = { name: "admin", user: null, token: null, address: null };
export const PASSWORD = "correct horse battery";
export const OWN = { "sec-fetch-site": "same-origin" };

export interface Browsing {
  person: Person;
  cookie: string;
  get(path: string): Promise<Response>;
  /** A form of our own pages. */
  post(path: string, form?: Record<string, string>): Promise<Response>;
}

let count = 0;

/** Somebody with an account, who has signed in. `roles` by organization id. */
export async function somebody(
  box: BoardBox,
  options: { name?: string; isSuperuser?: boolean; roles?: Record<number, Role> } = {},
): Promise<Browsing> {
  count += 1;
  const { name = `Person ${count}`, isSuperuser = false, roles = {} } = options;
  const input = { name, email: `person${count}@example.org`, password: PASSWORD, isSuperuser };
  const person = await box.authentication.people.create(input, ADMIN);
  for (const [org, role] of Object.entries(roles)) {
    const by = { author: ADMIN, role: "owner" as const, person: null, isToken: false };
    const { name: orgName } = box.directory.byId(Number(org))!;
    await box.accounts.members.set({ id: Number(org), name: orgName }, person.id, role, by);
  }
  return { person, ...(await browse(box, person.email)) };
}

export async function browse(box: BoardBox, email: string, password = PASSWORD) {
  const entered = await box.fetch(ask("/sign-in", OWN, { email, password }));
  const cookie = cookieIn(entered);
  return {
    cookie,
    get: (path: string) => box.fetch(ask(path, { cookie, accept: "text/html" })),
    post: (path: string, form: Record<string, string> = {}) =>
      box.fetch(ask(path, { ...OWN, cookie }, form)),
  };
}

export function ask(
  path: string,
  headers: Record<string, string>,
  form?: Record<string, string>,
): Request {
  const init = form ? { method: "POST", body: new URLSearchParams(form) } : {};
  return new Request(`http://board${path}`, { headers, redirect: "manual", ...init });
}

export function cookieIn(response: Response): string {
  return response.headers
    .getSetCookie()
    .map((cookie) => cookie.split(";")[0])
    .join("; ");
}

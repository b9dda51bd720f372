/** The first account of a server, made by whoever opened its one-time link. */
import type { Hono } from "hono";
import { PASSWORD_MIN } from "../accounts/identity.ts";
import { Refused } from "../accounts/refused.ts";
import { isSecure } from "./auth.ts";
import { refusedStatus } from "./errors.ts";
import { readForm } from "./form.ts";
import type { BoardContext, BoardEnv, Shell } from "./shell.ts";
import { go, peerOf, safePath, secured } from "./sign_in.ts";

interface SetUpModel {
  next: string;
  problem: string | null;
  field: string | null;
  name: string;
  email: string;
}

/** Behind the gate: who comes here has signed in with the admin token. */
export function mountSetUp(app: Hono<BoardEnv>, shell: Shell): void {
  app.get("/set-up", async (c) => {
    const next = safePath(c.req.query("next"));
    if (await shell.deps.authentication.people.exist()) return go(next);
    return show(c, shell, { next, problem: null, field: null, name: "", email: "" });
  });
  app.post("/set-up", (c) => setUp(c, shell));
}

async function setUp(c: BoardContext, shell: Shell): Promise<Response> {
  const { authentication } = shell.deps;
  const request = c.req.raw;
  const fields = await readForm(request);
  const next = safePath(fields.get("next") ?? undefined);
  const name = fields.get("name") ?? "";
  const email = fields.get("email") ?? "";
  const password = fields.get("password") ?? "";
  const caller = c.get("caller");
  if (!caller.scope.isSuperuser) return go(next);
  try {
    await authentication.people.createFirst({ name, email, password }, caller.author);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const model = { next, problem: error.message, field: error.field, name, email };
    return show(c, shell, model, refusedStatus(error));
  }
  const peer = { request, address: peerOf(c) };
  const cookies = (await authentication.identity.signIn(peer, email.trim(), password)) ?? [];
  const gone = await authentication.admin.close(request, isSecure(request));
  return go(next, secured(gone ? [...cookies, gone] : cookies, request));
}

function show(c: BoardContext, shell: Shell, model: SetUpModel, status = 200): Response {
  const full = { ...model, passwordMin: PASSWORD_MIN };
  return shell.page(c, "_layout/set_up", full, { title: "Set up", status, bare: true });
}

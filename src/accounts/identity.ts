/**
 * Signing in: passwords, sessions and OpenID Connect, by better-auth on our own tables. None of its
 * endpoints is open to the world but the one to which a provider sends people back: forms of ours call
 * the others as functions, so that what can be reached is what our routes name.
 */
import { drizzleAdapter } from "@better-auth/drizzle-adapter";
import { betterAuth } from "better-auth";
import { genericOAuth } from "better-auth/plugins";
import { drizzle } from "drizzle-orm/postgres-js";
import postgres from "postgres";
import { person } from "../db/schema/people/person.ts";
import { personAccount } from "../db/schema/people/person_account.ts";
import { personSession } from "../db/schema/people/person_session.ts";
import { verification } from "../db/schema/people/verification.ts";
import { type Asking, Recorded } from "./recorded.ts";

export const PASSWORD_MIN = 10;
export const PASSWORD_MAX = 200;
export const SESSION_SECONDS = 7 * 24 * 3_600;
/** A session is prolonged at most so often. */
const PROLONG_SECONDS = 24 * 3_600;
/** Where a provider sends people back to: `/auth/callback/oidc`. */
export const AUTH_PATH = "/auth";
export const PROVIDER = "oidc";
/** What we know of the peer; better-auth is told to believe nothing else. */
const PEER = "x-signalbox-peer";

export interface OidcSettings {
  /** Such as https://accounts.example, without the well-known path. */
  issuer: string;
  clientId: string;
  clientSecret: string;
  /** On the button: "Sign in with …". */
  name: string;
}

export interface IdentityOptions {
  databaseUrl: string;
  /** Signs cookies. */
  secret: string;
  /** As people open it; `https` makes cookies secure. */
  publicUrl: string;
  oidc: OidcSettings | null;
  onError(message: string): void;
}

export type Identity = ReturnType<typeof createIdentity>;

/** Where a request comes from, for the session's row. */
export interface Peer {
  request: Request;
  address?: string | undefined;
}

export function createIdentity(options: IdentityOptions) {
  // The adapter changes how this client reads times: it must not be one of ours.
  const sql = postgres(options.databaseUrl, { max: 2, idle_timeout: 60, onnotice: () => {} });
  const recorded = new Recorded();
  const auth = createAuth(options, drizzle(sql), recorded);

  const call = (peer: Peer, path: string, body?: object) => {
    const url = new URL(AUTH_PATH + path, options.publicUrl);
    const init = { method: body ? "POST" : "GET", headers: headersOf(peer, options.publicUrl) };
    return auth.handler(new Request(url, body ? { ...init, body: JSON.stringify(body) } : init));
  };
  return {
    /** Session and person of a request's cookie, or null. */
    async session(request: Request) {
      const headers = headersOf({ request }, options.publicUrl);
      const found = await auth.api.getSession({ headers, query: { disableRefresh: true } });
      return found ?? null;
    },
    /** `Set-Cookie` values of a longer session, where it has aged enough. */
    async prolong(peer: Peer): Promise<string[]> {
      return cookiesOf(await call(peer, "/get-session"));
    },
    /** Null where address or password is wrong; which of both is not told, nor by the time it takes. */
    async signIn(peer: Peer, email: string, password: string): Promise<string[] | null> {
      const answer = await call(peer, "/sign-in/email", { email, password });
      return answer.ok ? cookiesOf(answer) : null;
    },
    /** The cookies that are gone. */
    async signOut(peer: Peer): Promise<string[]> {
      return cookiesOf(await call(peer, "/sign-out", {}));
    },
    /**
     * Ends all other sessions, in one transaction with its row in the audit log and the notice to all
     * servers. Null where the present password is wrong.
     */
    async changePassword(
      peer: Peer,
      { current, next }: { current: string; next: string },
      asking: Asking,
    ): Promise<string[] | null> {
      const body = { currentPassword: current, newPassword: next, revokeOtherSessions: true };
      const answer = await recorded.as(asking, () => call(peer, "/change-password", body));
      if (answer.status >= 500) throw new Error("a password could not be changed");
      return answer.ok ? cookiesOf(answer) : null;
    },
    /** The provider's page, and the cookies that belong to this attempt. */
    async startOidc(peer: Peer, next: string): Promise<{ url: string; cookies: string[] } | null> {
      const body = { provider: PROVIDER, callbackURL: next, errorCallbackURL: "/sign-in" };
      const answer = await call(peer, "/sign-in/social", body);
      if (!answer.ok) return null;
      const { url } = (await answer.json()) as { url: string };
      return { url, cookies: cookiesOf(answer) };
    },
    /** The provider sent somebody back: a redirect, with a session where all is well. */
    finishOidc({ request, address }: Peer): Promise<Response> {
      const { pathname, search } = new URL(request.url);
      const url = new URL(pathname + search, options.publicUrl);
      const headers = headersOf({ request, address }, options.publicUrl);
      // Whoever is new is made in their own name, once it is known.
      const name = options.oidc?.name ?? PROVIDER;
      const author = { name, user: null, token: null, address: address ?? null };
      return recorded.as({ author, session: null }, () =>
        auth.handler(new Request(url, { headers })),
      );
    },
    oidcName: options.oidc?.name ?? null,
    close: () => sql.end({ timeout: 2 }),
  };
}

function createAuth(options: IdentityOptions, db: ReturnType<typeof drizzle>, recorded: Recorded) {
  const { publicUrl, secret, oidc } = options;
  return betterAuth({
    baseURL: publicUrl,
    basePath: AUTH_PATH,
    secret,
    telemetry: { enabled: false },
    logger: {
      level: "error",
      log: (_level, message) => options.onError(message),
    },
    database: drizzleAdapter(recorded.database(db), {
      provider: "pg",
      transaction: true,
      schema: { user: person, session: personSession, account: personAccount, verification },
    }),
    databaseHooks: recorded.hooks,
    emailAndPassword: {
      enabled: true,
      // People are made by superusers, by invitations and by a provider.
      disableSignUp: true,
      minPasswordLength: PASSWORD_MIN,
      maxPasswordLength: PASSWORD_MAX,
    },
    user: {
      additionalFields: { isSuperuser: { type: "boolean", input: false, defaultValue: false } },
    },
    account: { encryptOAuthTokens: true },
    session: { expiresIn: SESSION_SECONDS, updateAge: PROLONG_SECONDS, freshAge: 0 },
    advanced: {
      cookiePrefix: "signalbox",
      useSecureCookies: publicUrl.startsWith("https:"),
      ipAddress: { ipAddressHeaders: [PEER] },
    },
    // Attempts are counted by our own routes, which are the only ones.
    rateLimit: { enabled: false },
    plugins: oidc ? [genericOAuth({ config: [providerOf(oidc)] })] : [],
  });
}

function providerOf({ issuer, clientId, clientSecret }: OidcSettings) {
  return {
    providerId: PROVIDER,
    discoveryUrl: `${issuer.replace(/\/+$/, "")}/.well-known/openid-configuration`,
    requireIdTokenVerification: true,
    clientId,
    clientSecret,
    scopes: ["openid", "profile", "email"],
    pkce: true,
    // Signing out here must not sign people out of everything else.
    disableProviderLogout: true,
  };
}

/** What better-auth may know of a request. Our own address as origin: our routes have checked it. */
function headersOf({ request, address }: Peer, publicUrl: string): Headers {
  const headers = new Headers({
    "content-type": "application/json",
    origin: new URL(publicUrl).origin,
  });
  for (const name of ["cookie", "user-agent"]) {
    const value = request.headers.get(name);
    if (value !== null) headers.set(name, value.slice(0, 4_000));
  }
  if (address) headers.set(PEER, address);
  return headers;
}

function cookiesOf(answer: Response): string[] {
  return answer.headers.getSetCookie();
}

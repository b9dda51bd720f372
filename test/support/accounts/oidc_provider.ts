/** A real OpenID Connect provider on a port of its own, and a person at a browser who signs in there. */
import { randomUUID } from "node:crypto";
import type { AddressInfo } from "node:net";
import Provider, { type ClientMetadata, type JWK } from "oidc-provider";

export interface OidcProvider {
  issuer: string;
  clientId: string;
  clientSecret: string;
  /** From its authorization page to the address that it sends the person back to. */
  signIn(address: string, login: string): Promise<string>;
  stop(): Promise<void>;
}

const STEPS_MAX = 20;

/** Anybody may sign in; `claims` says what the provider tells of them. */
export async function oidcProvider(
  redirectUri: string,
  claims: (login: string) => Record<string, unknown>,
): Promise<OidcProvider> {
  const client: ClientMetadata = {
    client_id: "signalbox",
    client_secret: randomUUID(),
    redirect_uris: [redirectUri],
    id_token_signed_response_alg: "ES256",
  };
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}`;
  const provider = new Provider(issuer, {
    clients: [client],
    jwks: { keys: [await privateKey()] },
    cookies: { keys: [randomUUID()] },
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
    findAccount: (_ctx, id) => ({
      accountId: id,
      claims: async () => ({ sub: id, ...claims(id) }),
    }),
  });
  const server = provider.listen(port, "127.0.0.1");
  return {
    issuer,
    clientId: client.client_id,
    clientSecret: client.client_secret!,
    signIn: (address, login) => walk(address, login, redirectUri),
    stop: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

/** Follows redirects and fills in the provider's forms, with a jar of cookies, until it leads home. */
async function walk(address: string, login: string, home: string): Promise<string> {
  const jar = new Map<string, string>();
  let url = address;
  let form: Record<string, string> | null = null;
  for (let step = 0; step < STEPS_MAX; step++) {
    if (url.startsWith(home)) return url;
    const headers = { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join("; ") };
    const init: RequestInit = form ? { method: "POST", body: new URLSearchParams(form) } : {};
    const answer: Response = await fetch(url, { headers, redirect: "manual", ...init });
    for (const cookie of answer.headers.getSetCookie()) {
      const [name, value] = cookie.split(";")[0]!.split("=") as [string, string];
      jar.set(name, value);
    }
    const location = answer.headers.get("location");
    if (location) {
      url = new URL(location, url).href;
      form = null;
      continue;
    }
    const page: string = await answer.text();
    const prompt: string | undefined = /name="prompt" value="(\w+)"/.exec(page)?.[1];
    if (!prompt) throw new Error(`the provider says ${answer.status}: ${page.slice(-700)}`);
    form = prompt === "login" ? { prompt, login, password: "any" } : { prompt };
  }
  throw new Error(`the provider led in circles, last to ${url}`);
}

async function privateKey(): Promise<JWK> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const { privateKey: key } = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  // What the key may be used for is said by the provider, of its public half.
  const { key_ops: _, ext: __, ...jwk } = await crypto.subtle.exportKey("jwk", key);
  return { ...jwk, use: "sig", alg: "ES256" } as JWK;
}

async function freePort(): Promise<number> {
  const { createServer } = await import("node:net");
  const server = createServer();
  return await new Promise((done) => {
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => done(port));
    });
  });
}

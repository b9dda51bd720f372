/**
 * What the page says was just done. The address carries it from the deed to the page, signed for whoever
 * did it and for some minutes: a link alone makes no page claim what nobody did.
 */
import { createHmac } from "node:crypto";
import { sameSecret } from "../../accounts/token_secrets.ts";
import type { Author } from "../../core/author.ts";
import { may, type Scope, seenOrgs } from "../../core/scope.ts";
import { count, plural } from "../../web/format.ts";
import { readOperation } from "../../web/jobs/operation.ts";
import { operationModel } from "../../web/jobs/operation_words.ts";
import type { BoardDeps } from "../../web/shell.ts";
import { type Deed, type Done, type Refusal, UUID } from "./deed.ts";

const FRESH_MS = 5 * 60_000;
/** More would make an address that is too long; they can be ticked again. */
export const UNDO_MAX = 20;
const REFUSED_SHOWN = 10;
const TEXT_MAX = 300;

export interface News {
  text: string;
  /** What was not done, or how far it is, a sentence each. */
  lines: string[];
  isWarning: boolean;
  /** The deed that takes it back, with what it takes. */
  undo: { key: string; items: string[]; label: string } | null;
}

type Deeds = Readonly<Record<string, Deed>>;

/** Whose news it is, and when. */
export interface Teller {
  key: string;
  author: Author;
  now: number;
}

export function newsParams(
  { key: secret, author, now }: Teller,
  did: string,
  { affected, refused = [], ...done }: Done & { changed: readonly string[] },
): URLSearchParams {
  const params = new URLSearchParams({ did, n: String(affected), at: String(Math.floor(now)) });
  for (const item of done.changed.length > UNDO_MAX ? [] : done.changed) {
    params.append("item", item);
  }
  for (const sentence of refusedWords(refused)) params.append("not", sentence);
  params.append("sig", signatureOf(secret, author, params));
  return params;
}

function refusedWords(refused: readonly Refusal[]): string[] {
  const said = refused
    .slice(0, REFUSED_SHOWN)
    .map(({ label, reason }) => `${label}: ${reason}`.slice(0, TEXT_MAX));
  const more = refused.length - said.length;
  return more > 0 ? [...said, `And ${count(more)} more.`] : said;
}

function signatureOf(secret: string, { user, token, name }: Author, params: URLSearchParams) {
  const said = ["did", "n", "at", "item", "not"].map((key) => params.getAll(key));
  const who = [user, token, name];
  return createHmac("sha256", secret)
    .update(JSON.stringify([who, said]))
    .digest("base64url");
}

/** Null where the address says nothing, or nothing that is true of this caller now. */
export function newsOf(teller: Teller, deeds: Deeds, params: URLSearchParams): News | null {
  const did = params.get("did") ?? "";
  const deed = Object.hasOwn(deeds, did) ? deeds[did] : undefined;
  const age = teller.now - Number(params.get("at"));
  if (deed === undefined || !(age > -FRESH_MS && age < FRESH_MS)) return null;
  if (!sameSecret(params.get("sig") ?? "", signatureOf(teller.key, teller.author, params))) {
    return null;
  }
  const n = Number(params.get("n"));
  const items = params.getAll("item");
  const refused = params.getAll("not");
  const other = deed.undo === undefined ? undefined : deeds[deed.undo];
  const label =
    other === undefined ? "" : `${other.verb} ${items.length === 1 ? "it" : "them"} again`;
  const undo = other && n > 0 && items.length > 0 ? { key: deed.undo!, items, label } : null;
  const none = deed.none ?? "Nothing changed: it was so already.";
  const nothing = refused.length > 0 ? "Nothing was done." : none;
  const text = n === 0 ? nothing : deed.done(n);
  return { text, lines: refused, isWarning: refused.length > 0, undo };
}

/** Of operations that the address names, what their rows say; null where it names none that is seen. */
export async function operationNews(
  { deps, scope }: { deps: Pick<BoardDeps, "database" | "engine">; scope: Scope },
  params: URLSearchParams,
): Promise<News | null> {
  const ids = params.getAll("op").filter((id) => UUID.test(id));
  const orgs = seenOrgs(scope);
  const { reads } = deps.database;
  const found = await Promise.all(
    ids.slice(0, UNDO_MAX).map((id) => readOperation(reads, id, orgs)),
  );
  const rows = found.filter((row) => row !== null);
  if (rows.length === 0) return null;
  const said = rows.map((row) => {
    const operates = may(scope, row.org_id, "operate");
    return operationModel(row, deps.engine.now(), operates);
  });
  const items = said.filter(({ mayUndo }) => mayUndo).map(({ id }) => id);
  const label = `Call off ${items.length === 1 ? "it" : `all ${count(items.length)}`}`;
  const affected = rows.reduce((n, row) => n + row.affected, 0);
  return {
    text: `${plural(rows.length, "operation")}, of ${plural(affected, "job")}:`,
    lines: said.map(({ title, org, label: state, sentence }) => {
      return `${title}${org === "" ? "" : ` in ${org}`}: ${state}. ${sentence}`;
    }),
    isWarning: false,
    undo: items.length > 0 ? { key: "call-off", items, label } : null,
  };
}

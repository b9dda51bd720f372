/**
 * One POST to an address that somebody wrote down. Its host is looked up and judged in the same step in which it
 * is connected to, so that a name cannot mean one address to the judge and another to the socket; redirects are
 * not followed; it takes bounded time, and of the answer a bounded part is read.
 */
import { lookup as resolveName } from "node:dns";
import { request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { isPublicAddress } from "./addresses.ts";

export interface Post {
  url: string;
  body: string;
  headers: Record<string, string>;
  mayBePrivate: boolean;
  timeoutMs: number;
}

/** Enough for the beginning of a sentence that says what was wrong. */
const ANSWER_MAX = 2_000;
const PRIVATE =
  "the address is one of a private network, where only channels of superusers may reach";

export interface Posted {
  status: number;
  /** The beginning of the answer. */
  text: string;
}

/** Throws a sentence where nothing was answered. */
export async function post(asked: Post): Promise<Posted> {
  const url = new URL(asked.url);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (!asked.mayBePrivate && isIP(host) !== 0 && !isPublicAddress(host)) throw new Error(PRIVATE);
  const send = url.protocol === "https:" ? httpsRequest : httpRequest;
  const options: RequestOptions = {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "content-length": String(new TextEncoder().encode(asked.body).length),
      "user-agent": "Signalbox",
      ...asked.headers,
    },
    // A connection of its own: one that is kept open was judged for another address.
    agent: false,
    ...(asked.mayBePrivate ? {} : { lookup: publicOnly }),
  };
  return await new Promise<Posted>((done, fail) => {
    const request = send(url, options, (answer) => {
      read(answer)
        .then((text) => done({ status: answer.statusCode ?? 0, text }), fail)
        .finally(() => request.destroy());
    });
    const timer = setTimeout(() => {
      fail(new Error(`no answer within ${asked.timeoutMs / 1_000} seconds`));
      request.destroy();
    }, asked.timeoutMs);
    request.on("error", (error) => fail(new Error(told(error))));
    request.on("close", () => clearTimeout(timer));
    request.end(asked.body);
  });
}

async function read(answer: IncomingMessage): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of answer as AsyncIterable<Uint8Array>) {
    parts.push(part);
    size += part.length;
    if (size >= ANSWER_MAX) break;
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return new TextDecoder().decode(bytes.subarray(0, ANSWER_MAX));
}

function told(error: Error): string {
  const code = (error as { code?: unknown }).code;
  return error.message || (typeof code === "string" ? code : "it could not be reached");
}

const publicOnly: LookupFunction = (hostname, options, callback) => {
  resolveName(hostname, { ...options, all: true }, (error, found) => {
    if (error) return callback(error, "", 0);
    const addresses = found as { address: string; family: number }[];
    const [first] = addresses;
    // One private address among several is no accident.
    if (first === undefined || !addresses.every(({ address }) => isPublicAddress(address))) {
      return callback(new Error(PRIVATE), "", 0);
    }
    if (options.all === true) return callback(null, addresses);
    callback(null, first.address, first.family);
  });
};

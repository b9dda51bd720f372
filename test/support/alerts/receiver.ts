/** A real web server that keeps what it is sent, and answers as the test says. */
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";

export interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface Receiver {
  url: string;
  received: Received[];
  /** What the next requests are answered, the last one for ever. */
  answers: { status: number; headers?: Record<string, string>; body?: string }[];
  /** Before a request is answered. */
  onRequest?: (path: string) => Promise<void>;
  close(): Promise<void>;
}

export async function receiver(): Promise<Receiver> {
  const own: Pick<Receiver, "received" | "answers" | "onRequest"> = {
    received: [],
    answers: [{ status: 200 }],
  };
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8");
    request.on("data", (part: string) => {
      body += part;
    });
    request.on("end", async () => {
      own.received.push({ path: request.url ?? "", headers: request.headers, body });
      await own.onRequest?.(request.url ?? "");
      const answer = own.answers.length > 1 ? own.answers.shift()! : own.answers[0]!;
      response.writeHead(answer.status, answer.headers ?? {});
      response.end(answer.body ?? "");
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  return Object.assign(own, {
    url: `http://127.0.0.1:${port}/hook`,
    close: () => new Promise<void>((done) => server.close(() => done())),
  });
}

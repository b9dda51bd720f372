/** What somebody is answered, of a stream its beginning: the picture that it starts with. */
import { SseReader } from "../support/sse_reader.ts";
import type { Actor } from "./cast.ts";
import type { Answer, Asked, Stage } from "./stage.ts";

export async function heard(
  stage: Stage,
  actor: Actor,
  asked: Asked,
): Promise<Pick<Answer, "status" | "text" | "headers">> {
  const isLive = /^\/api\/v1\/board\/live|^\/board\/stream/.test(asked.path);
  if (!isLive) return stage.ask(actor, asked);
  const response = await stage.fetch(actor, asked);
  const { status, headers, body } = response;
  if (status !== 200) return { status, headers, text: await response.text() };
  const reader = new SseReader(body!);
  // Panels end their picture with a position; strangers are told none, and get their snapshot.
  await reader.until((messages) => reader.lastId !== "" || messages.some(isSnapshot));
  await reader.close();
  return { status, headers, text: textOf(reader) };
}

const isSnapshot = ({ event }: { event: string }) => event === "snapshot";

/** Everything that came but positions, which go on with whatever happens anywhere. */
export function textOf(reader: SseReader): string {
  return reader.messages.map(({ event, data }) => `${event}\n${data}\n`).join("");
}

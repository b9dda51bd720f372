/** Server-sent events on the wire. */

export interface LiveMessage {
  event?: string;
  /** The position a reader may resume from once it has this message. */
  id?: string;
  data: string;
}

/** One message as text. Line breaks of any kind inside `data` become `data:` lines. */
export function encodeMessage(message: LiveMessage): string {
  const lines: string[] = [];
  if (message.event) lines.push(`event: ${message.event}`);
  if (message.id) lines.push(`id: ${message.id}`);
  for (const line of message.data.split(/\r\n|\r|\n/)) lines.push(`data: ${line}`);
  return `${lines.join("\n")}\n\n`;
}

export function encodeMessages(messages: readonly LiveMessage[]): string {
  return messages.map(encodeMessage).join("");
}

/** Moves a reader's position without a message: what stands before it has arrived. */
export function encodePosition(id: string): string {
  return id === "" ? "" : `id: ${id}\n\n`;
}

export const SSE_HEADERS: Readonly<Record<string, string>> = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-store",
  // nginx would otherwise hold events back until its buffer is full.
  "x-accel-buffering": "no",
};

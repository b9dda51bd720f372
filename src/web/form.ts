/** What a browser's form sends, bounded. */

const FORM_MAX_BYTES = 16_384;

/** Empty where it is larger than any form of ours. */
export async function readForm(request: Request): Promise<URLSearchParams> {
  const empty = new URLSearchParams();
  const type = request.headers.get("content-type") ?? "";
  if (!type.startsWith("application/x-www-form-urlencoded")) return empty;
  const reader = request.body?.getReader();
  if (!reader) return empty;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    // A header says what it likes: what arrives is counted.
    if (size > FORM_MAX_BYTES) {
      await reader.cancel();
      return empty;
    }
    chunks.push(value);
  }
  return new URLSearchParams(new TextDecoder().decode(joined(chunks, size)));
}

function joined(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const all = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

/** What a browser's form sends, bounded, and as PostgreSQL can keep it. */
import { cleanText } from "../core/storable.ts";
import { readBounded } from "./bounded_body.ts";

/** Room for the most that can be ticked at once, each with its ids. */
const FORM_MAX_BYTES = 65_536;

/** Empty where it is larger than any form of ours. */
export async function readForm(
  request: Request,
  maxBytes = FORM_MAX_BYTES,
): Promise<URLSearchParams> {
  const type = request.headers.get("content-type") ?? "";
  if (!type.startsWith("application/x-www-form-urlencoded")) return new URLSearchParams();
  const bytes = await readBounded(request, maxBytes);
  const fields = new URLSearchParams(bytes === null ? "" : new TextDecoder().decode(bytes));
  return new URLSearchParams([...fields].map(([name, value]) => [name, cleanText(value)]));
}

/**
 * The text of a search cut at its blanks. Quotes keep blanks in, and take the meaning from whatever
 * stands in them: `"state:failed"` is a word. Within them `\"` is a quote and `\\` a backslash.
 */

export interface Token {
  /** Without quotes. */
  text: string;
  /** For each character of `text`, whether it stood in quotes. */
  quoted: readonly boolean[];
  /** Where it stands in what was typed. */
  start: number;
  end: number;
  /** A quote was opened and not closed. */
  isOpen: boolean;
}

const BLANK = /\s/;

export function tokensOf(typed: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < typed.length) {
    if (BLANK.test(typed[at]!)) {
      at += 1;
      continue;
    }
    const token = tokenAt(typed, at);
    tokens.push(token);
    at = token.end;
  }
  return tokens;
}

function tokenAt(typed: string, start: number): Token {
  let text = "";
  const quoted: boolean[] = [];
  let isOpen = false;
  let at = start;
  for (; at < typed.length; at += 1) {
    let char = typed[at]!;
    if (char === '"') {
      isOpen = !isOpen;
      continue;
    }
    if (!isOpen && BLANK.test(char)) break;
    if (isOpen && char === "\\" && /["\\]/.test(typed[at + 1] ?? "")) {
      at += 1;
      char = typed[at]!;
    }
    text += char;
    quoted.push(isOpen);
  }
  return { text, quoted, start, end: at, isOpen };
}

/** The part of a token from a place on. */
export function restOf(token: Token, from: number): Token {
  return { ...token, text: token.text.slice(from), quoted: token.quoted.slice(from) };
}

/** The first of these characters that stands outside quotes; -1 where none does. */
export function unquotedIndex(token: Token, char: string): number {
  let at = token.text.indexOf(char);
  while (at >= 0 && token.quoted[at]) at = token.text.indexOf(char, at + 1);
  return at;
}

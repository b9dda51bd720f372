/** The tree as the checks see it. */

import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

export interface Source {
  /** From the project's root, with slashes. */
  path: string;
  text: string;
  /** `text` with comments blanked; lines keep their numbers. */
  code: string;
  /** `code` with the insides of strings and templates blanked as well. */
  bare: string;
}

/** What is wrong, with file, line where there is one, and what to do. */
export interface Finding {
  path: string;
  message: string;
}

/** One rule of the house: looks at every file, or at the tree as a whole. */
export interface Check {
  name: string;
  look(files: readonly Source[]): Finding[];
}

export function source(path: string, text: string): Source {
  const isCode = /\.(ts|mjs|js)$/.test(path);
  const code = isCode
    ? text.replace(TOKENS, (token) => (isComment(token) ? blank(token) : token))
    : text;
  const bare = isCode ? code.replace(TOKENS, blankInside) : text;
  return { path, text, code, bare };
}

/** What a clone does not hold. */
const NOT_OURS = /^(\.git|node_modules|\.tools|\.signalbox|tmp)$/;
const NOT_TEXT = /\.(png|ico|woff2?|jpg|gif|webp|gz|log)$|(^|\/)(bun\.lock|package-lock\.json)$/;

/** Every text file of the tree. */
export async function readTree(folder = ""): Promise<Source[]> {
  const entries = await readdir(`${ROOT}${folder}`, { withFileTypes: true });
  const found = entries.map(async (entry) => {
    const path = `${folder}${entry.name}`;
    if (NOT_OURS.test(path) || NOT_TEXT.test(path)) return [];
    if (entry.isDirectory()) return readTree(`${path}/`);
    return entry.isFile() ? [source(path, await readFile(`${ROOT}${path}`, "utf8"))] : [];
  });
  return (await Promise.all(found)).flat();
}

/** A check of one file at a time. */
export function eachFile(name: string, matches: RegExp, look: (file: Source) => string[]): Check {
  return {
    name,
    look: (files) =>
      files
        .filter((file) => matches.test(file.path))
        .flatMap((file) => look(file).map((message) => ({ path: file.path, message }))),
  };
}

/** Each line where `pattern` matches, as "line N: …". */
export function matchingLines(text: string, pattern: RegExp, say: (found: string) => string) {
  return text.split("\n").flatMap((line, index) => {
    const found = pattern.exec(line)?.[0];
    return found === undefined ? [] : [`line ${index + 1}: ${say(found.trim())}`];
  });
}

// Strings and regular expressions come first, so that "//" inside them is no comment.
const TOKENS = new RegExp(
  [
    /"(?:\\.|[^"\\\n])*"/,
    /'(?:\\.|[^'\\\n])*'/,
    /`(?:\\[\s\S]|[^`\\])*`/,
    /(?<=[=(,:;!&|?{}[\n]\s*)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\//,
    /\/\/[^\n]*/,
    /\/\*[\s\S]*?\*\//,
  ]
    .map((token) => token.source)
    .join("|"),
  "g",
);

function isComment(token: string): boolean {
  return token.startsWith("//") || token.startsWith("/*");
}

function blank(text: string): string {
  return text.replace(/[^\n]/g, " ");
}

function blankInside(token: string): string {
  return isComment(token) ? token : token[0] + blank(token.slice(1, -1)) + token.at(-1);
}

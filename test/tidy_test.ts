/**
 * The law of the tree. Every check is tried twice: on the tree, which must pass, and on a planted
 * offence, which must not, so that a check that cannot fail is noticed.
 */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { EXCEPTIONS } from "./support/tidy/exceptions.ts";
import * as imports from "./support/tidy/imports.ts";
import * as shape from "./support/tidy/shape.ts";
import { type Check, type Finding, readTree, type Source, source } from "./support/tidy/source.ts";
import * as words from "./support/tidy/words.ts";

interface Offence {
  check: Check;
  /** Each alone must be found. */
  bad: readonly (readonly [path: string, text: string])[];
  /** None of these may be. */
  good: readonly (readonly [path: string, text: string])[];
}

const lines = (count: number) => "x;\n".repeat(count);
const longFunction = (count: number) => `function f() {\n${lines(count - 2)}}\n`;

/** Split, so that this file does not hold what it plants. */
const split = (...parts: string[]) => parts.join("");

const OFFENCES: readonly Offence[] = [
  {
    check: imports.importDirection,
    bad: [
      ["src/core/a.ts", 'import { b } from "../web/render.ts";'],
      ["src/core/a.ts", 'import type { B } from "../messages/frames.ts";'],
      ["src/messages/a.ts", 'export { b } from "../core/b.ts";'],
      ["src/db/a.ts", 'import { b } from "../engine/b.ts";'],
      ["src/engine/deep/a.ts", 'import {\n  b,\n} from "../../api/b.ts";'],
      ["src/worker/a.ts", 'const b = await import("../db/client.ts");'],
      ["src/sdk/a.ts", 'import { type A, b } from "../api/jobs/schemas.ts";'],
      ["src/api/a.ts", 'import "../main.ts";'],
      ["src/engine/a.ts", 'import { eventually } from "../../test/support/eventually.ts";'],
      ["src/novel/a.ts", ""],
    ],
    good: [
      ["src/engine/a.ts", 'import { b } from "../core/b.ts";\nimport { c } from "./c.ts";'],
      ["src/sdk/a.ts", 'import type { A } from "../api/jobs/schemas.ts";'],
      ["src/core/a.ts", '// import { b } from "../web/render.ts";'],
    ],
  },
  {
    check: imports.packagesPerLayer,
    bad: [
      ["src/core/a.ts", 'import postgres from "postgres";'],
      ["src/core/a.ts", 'import { readFile } from "node:fs/promises";'],
      ["src/web/a.ts", 'import { sql } from "drizzle-orm/pg-core";'],
      ["src/worker/a.ts", 'import { x } from "@scope/name/deep";'],
    ],
    good: [
      ["src/db/a.ts", 'import { sql } from "drizzle-orm/pg-core";'],
      ["src/blobs/a.ts", 'import { open } from "node:fs/promises";'],
    ],
  },
  {
    check: imports.pagesApart,
    bad: [["src/pages/live/view.ts", 'import { row } from "../job/view.ts";']],
    good: [
      ["src/pages/live/view.ts", 'import { rows } from "./queries.ts";'],
      ["src/pages/all_pages.ts", 'import { live } from "./live/routes.ts";'],
    ],
  },
  {
    check: imports.runtimePicked,
    bad: [
      ["src/worker/a.ts", 'import { runtime } from "../runtime/runtime.ts";'],
      ["src/api/a.ts", 'import { createBunRuntime } from "../runtime/bun.ts";'],
    ],
    good: [
      ["src/cli/main.ts", 'import { runtime } from "../runtime/runtime.ts";'],
      ["src/protocol/a.ts", 'import type { Runtime } from "../runtime/contract.ts";'],
    ],
  },
  {
    check: imports.extensions,
    bad: [
      ["src/core/a.ts", 'import { b } from "./b";'],
      ["test/a_test.ts", 'import { b } from "../src/core";'],
    ],
    good: [["src/core/a.ts", 'import { b } from "./b.ts";']],
  },
  {
    check: shape.fileSizes,
    bad: [
      ["src/core/a.ts", lines(401)],
      ["test/a_test.ts", lines(601)],
      ["views/live/index.eta", lines(121)],
      ["views/live/_row.eta", lines(61)],
    ],
    good: [
      ["src/core/a.ts", lines(400)],
      ["views/live/_row.eta", lines(60)],
      ["docs/a.md", lines(5000)],
    ],
  },
  {
    check: shape.functionSizes,
    bad: [
      ["src/core/a.ts", longFunction(71)],
      ["src/core/a.ts", `export async ${longFunction(71)}`],
      ["src/core/a.ts", `const f = async (a: A) => {\n${lines(69)}};\n`],
      ["src/core/a.ts", `class A {\n  async run(a: A): Promise<void> {\n${lines(69)}  }\n}\n`],
      ["src/core/a.ts", `export function f(\n  a: A,\n): void {\n${lines(68)}}\n`],
      ["src/core/a.ts", `class A {\n  run(\n    a: A,\n  ): void {\n${lines(67)}  }\n}\n`],
      ["test/a_test.ts", `test("all", async () => {\n${lines(69)}});\n`],
    ],
    good: [
      ["src/core/a.ts", longFunction(70)],
      ["src/core/a.ts", `  call(\n    a,\n  );\n${lines(90)}  }\n`],
      ["src/core/a.ts", `const table = {\n${lines(90)}};\n`],
      ["test/a_test.ts", `describe("all", () => {\n${lines(90)}});\n`],
      ["src/db/a.ts", `const q = \`\nmax(a),\n${lines(90)}\`;\nconst b = {\n};\n`],
    ],
  },
  {
    check: shape.lineLengths,
    bad: [["src/core/a.ts", `// ${"word ".repeat(30)}`]],
    good: [["src/core/a.ts", `  text: "${"word ".repeat(30)}",`]],
  },
  {
    check: shape.fileNames,
    bad: [
      ["src/core/jobState.ts", ""],
      ["src/core/job-state.ts", ""],
      ["src/Core/job.ts", ""],
      ["src/core/index.ts", ""],
      ["src/core/utils.ts", ""],
      ["test/helpers/a.ts", ""],
      ["src/engine/types.ts", ""],
    ],
    good: [
      ["src/core/job_state.ts", ""],
      ["views/live/_row.eta", ""],
      ["public/css/10_tokens.css", ""],
      ["src/README.md", ""],
      ["views/live/index.eta", ""],
    ],
  },
  {
    check: shape.noBarrels,
    bad: [
      ["src/core/a.ts", 'export * from "./b.ts";'],
      [
        "src/core/a.ts",
        '/** All. */\nexport { b } from "./b.ts";\nexport type { C } from "./c.ts";',
      ],
    ],
    good: [["src/core/a.ts", 'export { b } from "./b.ts";\nexport const a = 1;']],
  },
  {
    check: words.runtimeWords,
    bad: [
      ["src/engine/a.ts", "await Bun.sleep(1);"],
      ["test/a_test.ts", "Deno.exit(1);"],
    ],
    good: [
      ["src/runtime/bun.ts", "Bun.serve({});"],
      ["src/engine/a.ts", '// Bun.serve is faster.\nconst a = "Deno.serve";'],
    ],
  },
  {
    check: words.environment,
    bad: [
      ["src/worker/a.ts", "const home = process.env.HOME;"],
      ["src/worker/a.ts", 'import { env } from "node:process";'],
    ],
    good: [["src/runtime/a.ts", "const env = process.env;"]],
  },
  {
    check: words.processWords,
    bad: [
      ["src/engine/a.ts", "const id = process.pid;"],
      ["src/core/a.ts", 'import process from "node:process";'],
      ["src/db/statements/a.ts", "process.exit(1);"],
    ],
    good: [
      ["src/worker/a.ts", "process.kill(1);"],
      ["src/engine/a.ts", "await this.process.next(); // process.pid"],
    ],
  },
  {
    check: words.consoleWords,
    bad: [["src/engine/a.ts", 'console.log("here");']],
    good: [["src/cli/a.ts", 'console.log("here");']],
  },
  {
    check: words.pureCore,
    bad: [
      ["src/core/a.ts", "const now = Date.now();"],
      ["src/core/a.ts", "const now = new Date();"],
      ["src/core/a.ts", "if (Math.random() < 0.5) a();"],
      ["src/core/deep/a.ts", "setTimeout(a, 5);"],
    ],
    good: [["src/core/a.ts", "const then = new Date(ms); // not Date.now()"]],
  },
  {
    check: words.sqlWrites,
    bad: [
      ["src/pages/live/queries.ts", "await sql`insert into job values (1)`;"],
      ["src/api/a.ts", 'await sql.unsafe("UPDATE queue SET paused = true");'],
      ["src/web/a.ts", "await sql`\n  delete from live_job`;"],
      ["src/cli/a.ts", "await sql`drop table job`;"],
    ],
    good: [
      ["src/db/statements/a.ts", "await sql`delete from live_job`;"],
      ["src/pages/live/queries.ts", "await sql`select * from job`; // never insert into job"],
    ],
  },
  {
    check: words.leftOvers,
    bad: [
      ["src/core/a.ts", split("// TO", "DO later")],
      ["docs/a.md", split("FIX", "ME")],
      ["src/core/a.ts", split("debug", "ger;")],
    ],
    good: [["src/core/a.ts", "const todo = 1;"]],
  },
  {
    check: words.skippedTests,
    bad: [
      ["test/a_test.ts", 'test.skip("a", () => {});'],
      ["test/a_test.ts", 'describe.only("a", () => {});'],
      ["test/a_test.ts", 'test("a", { skip: true }, () => {});'],
      ["test/a_test.ts", 'test("a", (t) => t.skip("no root"));'],
    ],
    good: [["test/a_test.ts", 'test("only one", () => {});']],
  },
  {
    check: words.machinePaths,
    bad: [
      ["src/core/a.ts", split("// see /wo", "rk/main")],
      ["docs/a.md", split("`/ho", "me/me/clone`")],
      ["docs/a.md", split("in /ro", "ot/x")],
    ],
    good: [
      ["docs/a.md", "https://example.org/work/main and ./work/x and /var/lib/signalbox"],
      ["docs/a.md", "/home/signalbox"],
    ],
  },
  {
    check: words.registryHosts,
    bad: [["bun.lock.md", split("https://regi", "stry.npmjs.org/x")]],
    good: [["docs/a.md", "npm's registry"]],
  },
  {
    check: words.howItWasMade,
    bad: [
      ["docs/a.md", split("written by A", "I")],
      ["src/core/a.ts", split("// see iss", "ue #12")],
      ["CHANGELOG.md", split("Co-auth", "ored-by: somebody")],
    ],
    good: [["docs/a.md", "The agent holds the worker's connection; an issue of 12 jobs."]],
  },
];

/** These look at the tree as a whole. */
const WHOLE: readonly { check: Check; bad: Source[]; good: Source[] }[] = [
  {
    check: imports.noCircles,
    bad: [
      source("src/core/a.ts", 'import { b } from "./b.ts";'),
      source("src/core/b.ts", 'import { c } from "./deep/c.ts";'),
      source("src/core/deep/c.ts", 'import { a } from "../a.ts";'),
    ],
    good: [
      source("src/core/a.ts", 'import { b } from "./b.ts";'),
      source("src/core/b.ts", 'import type { A } from "./a.ts";'),
    ],
  },
  {
    check: shape.smallFolders,
    bad: Array.from({ length: 41 }, (_, n) => source(`src/core/a${n}.ts`, "")),
    good: Array.from({ length: 40 }, (_, n) => source(`src/core/a${n}.ts`, "")),
  },
  {
    check: shape.twinFolders,
    bad: [source("src/pages/live/view.ts", ""), source("views/jobs/index.eta", "")],
    good: [
      source("src/pages/live/view.ts", ""),
      source("views/live/index.eta", ""),
      source("views/_layout/page.eta", ""),
    ],
  },
];

const CHECKS = [...Object.values(imports), ...Object.values(shape), ...Object.values(words)].filter(
  (value): value is Check => typeof value === "object" && "look" in value,
);

function excused(check: Check, { path }: Finding): boolean {
  return EXCEPTIONS.some((exception) => exception.check === check.name && exception.path === path);
}

describe("the tree keeps the law", () => {
  let tree: Source[];
  before(async () => {
    tree = await readTree();
    assert.ok(tree.length > 100, "the tree was not found");
  });

  for (const check of CHECKS) {
    test(check.name, () => {
      const findings = check.look(tree).filter((finding) => !excused(check, finding));
      const told = findings.map(({ path, message }) => `\n  ${path}: ${message}`);
      assert.equal(told.length, 0, `${check.name}:${told.join("")}\n`);
    });
  }

  test("every exception is still needed, and says why", () => {
    for (const { check: name, path, reason } of EXCEPTIONS) {
      const check = CHECKS.find((each) => each.name === name);
      assert.ok(check, `there is no check "${name}"`);
      const hit = check.look(tree).some((finding) => finding.path === path);
      assert.ok(hit, `${path} keeps "${name}" by now: take its exception out`);
      assert.ok(reason.length > 10, `${path}: say why`);
    }
  });
});

describe("each check finds what it is for", () => {
  test("every check has its offence", () => {
    const tried = [...OFFENCES, ...WHOLE].map(({ check }) => check.name).sort();
    assert.deepEqual(tried, CHECKS.map((check) => check.name).sort());
  });

  for (const { check, bad, good } of OFFENCES) {
    test(check.name, () => {
      for (const [path, text] of bad) {
        const found = check.look([source(path, text)]);
        assert.ok(found.length > 0, `not found: ${path} ${text.slice(0, 80)}`);
        assert.equal(found[0]?.path, path);
      }
      for (const [path, text] of good) {
        assert.deepEqual(check.look([source(path, text)]), []);
      }
    });
  }

  for (const { check, bad, good } of WHOLE) {
    test(check.name, () => {
      assert.ok(check.look(bad).length > 0);
      assert.deepEqual(check.look(good), []);
    });
  }
});

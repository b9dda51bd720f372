import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { runtimeCommand } from "./support/script.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const LIMIT = { timeout: 120_000 };

function run(root: string, ...args: string[]): { code: number | null; said: string } {
  const { command, flags } = runtimeCommand();
  const script = join(root, "drizzle/generate.ts");
  const result = spawnSync(command, [...flags, script, ...args], { cwd: root, encoding: "utf8" });
  return { code: result.status, said: `${result.stdout}${result.stderr}` };
}

describe("schema and migrations", () => {
  let copy: string;
  const edit = (path: string, from: string, to: string) => {
    const text = readFileSync(join(copy, path), "utf8");
    assert.ok(text.includes(from), `${path} has ${from}`);
    writeFileSync(join(copy, path), text.replace(from, to));
  };

  before(() => {
    copy = mkdtempSync(join(tmpdir(), "signalbox-drift-"));
    for (const path of ["drizzle", "src/db/schema", "src/core", "package.json"]) {
      cpSync(join(ROOT, path), join(copy, path), { recursive: true });
    }
    symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
  });
  after(() => rmSync(copy, { recursive: true, force: true }));

  test("agree", LIMIT, () => {
    const { code, said } = run(ROOT, "verify");
    assert.equal(code, 0, said);
  });

  test("that differ are noticed, and made to agree by one command", LIMIT, () => {
    edit("src/db/schema/job_end.ts", "reason: text(),", "reason: text(),\n    remark: text(),");
    const before = run(copy, "verify");
    assert.equal(before.code, 1);
    assert.match(before.said, /differ \(0000_init.sql, meta\/0000_snapshot.json\)/);
    assert.equal(run(copy, "generate").code, 0);
    const text = readFileSync(join(copy, "drizzle/0000_init.sql"), "utf8");
    assert.match(text, /"remark" text,/);
    assert.equal(text.match(/PARTITION BY RANGE/g)?.length, 9);
    assert.equal(run(copy, "verify").code, 0);
  });

  test("edited by hand are noticed", LIMIT, () => {
    edit("drizzle/0000_init.sql", "fillfactor = 30", "fillfactor = 90");
    const { code, said } = run(copy, "verify");
    assert.equal(code, 1);
    assert.match(said, /differ \(0000_init.sql\)/);
  });

  test("after a release are compared by what would have to be added", LIMIT, () => {
    assert.equal(run(copy, "generate").code, 0);
    edit("src/db/schema/job_end.ts", "remark: text(),", "remark: text(),\n    second: text(),");
    const added = run(copy, "generate", "second_remark");
    assert.equal(added.code, 0, added.said);
    const text = readFileSync(join(copy, "drizzle/0001_second_remark.sql"), "utf8");
    assert.equal(text, 'ALTER TABLE "job_end" ADD COLUMN "second" text;');
    assert.equal(run(copy, "verify").code, 0);
    edit("src/db/schema/job_end.ts", "second: text(),", "");
    const { code, said } = run(copy, "verify");
    assert.equal(code, 1);
    assert.match(said, /0002_drift.sql/);
    assert.match(run(copy, "generate").said, /give the new one a name/);
  });
});

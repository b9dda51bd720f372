#!/usr/bin/env node
/** The last job of examples/packages.yaml: joins what the others measured, which came as inputs. */
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";

const EXPECTED = 40;

const inputs = JSON.parse(readFileSync(process.env.SIGNALBOX_INPUTS, "utf8"));
// Each result stands there twice: under its job's id and under its key in the workflow.
const byName = new Map(Object.values(inputs).map((measured) => [measured.name, measured]));
const packages = [...byName.values()].sort((a, b) => b.bytes - a.bytes);
if (packages.length !== EXPECTED) {
  console.error(`${packages.length} results came, ${EXPECTED} were expected.`);
  process.exit(1);
}

const total = (field) => packages.reduce((sum, each) => sum + each[field], 0);
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(2)} MB`.padStart(10);
for (const each of packages) {
  const name = `${each.name} ${each.version}`.padEnd(32);
  console.log(`${name}${String(each.files).padStart(6)} files ${megabytes(each.bytes)}`);
}
console.log(
  `${"all".padEnd(32)}${String(total("files")).padStart(6)} files ${megabytes(total("bytes"))}`,
);

const report = {
  packages: packages.length,
  files: total("files"),
  bytes: total("bytes"),
  packed_bytes: total("packed_bytes"),
  largest: packages.slice(0, 5).map(({ name, bytes }) => ({ name, bytes })),
};
writeFileSync(process.env.SIGNALBOX_RESULT, JSON.stringify(report));

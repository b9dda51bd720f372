/** Flags of the benches: `--name value`, or `--name` alone. */
import process from "node:process";

export function flag(name: string): boolean {
  return process.argv.includes(`--${name}`);
}

export function number(name: string, standard: number): number {
  const at = process.argv.indexOf(`--${name}`);
  if (at < 0) return standard;
  const value = Number(process.argv[at + 1]?.replaceAll("_", ""));
  if (!Number.isFinite(value)) throw new Error(`--${name} wants a number`);
  return value;
}

export function word(name: string): string | undefined {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
}

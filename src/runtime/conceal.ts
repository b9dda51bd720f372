/**
 * Makes this process unreadable for others of the same user: its memory, its environment and its
 * descriptors under `/proc` belong to root from then on (`prctl(PR_SET_DUMPABLE, 0)`). Programs
 * that it starts are not affected.
 */
import process from "node:process";

const PR_SET_DUMPABLE = 4;
const LIBRARIES = ["libc.so.6", "libc.so"];

interface Library {
  symbols: { prctl(option: number, value: bigint, a: bigint, b: bigint, c: bigint): number };
}

/** Returns whether it worked; elsewhere than on Linux it does nothing. */
export async function concealProcess(): Promise<boolean> {
  if (process.platform !== "linux") return false;
  for (const name of LIBRARIES) {
    try {
      const library = await open(name);
      if (library?.symbols.prctl(PR_SET_DUMPABLE, 0n, 0n, 0n, 0n) === 0) return true;
    } catch {
      // The other C library, or a runtime without leave to call one.
    }
  }
  return false;
}

async function open(name: string): Promise<Library | null> {
  const deno = (globalThis as { Deno?: { dlopen(path: string, symbols: object): Library } }).Deno;
  if (deno) {
    const parameters = ["i32", "u64", "u64", "u64", "u64"];
    return deno.dlopen(name, { prctl: { parameters, result: "i32" } });
  }
  // The name stands in a variable, because only Bun can resolve it.
  const ffi = "bun:ffi";
  const { dlopen } = (await import(ffi)) as { dlopen(path: string, symbols: object): Library };
  return dlopen(name, { prctl: { args: ["i32", "u64", "u64", "u64", "u64"], returns: "i32" } });
}

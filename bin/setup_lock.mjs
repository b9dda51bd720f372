/** One set-up at a time: two commands started together in a fresh clone must not both install. */
import { link, readFile, rm, writeFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";

/**
 * Runs `work` while holding the file `lock`; waits while another living process holds it.
 * @template T
 * @param {string} lock
 * @param {(line: string) => void} say
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function alone(lock, say, work) {
  let told = false;
  while (!(await take(lock))) {
    if (await isLeft(lock)) await rm(lock, { force: true });
    else if (!told) say("Waiting for another set-up of this folder …");
    told = true;
    await pause(200);
  }
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}

/** Linked, not written in place, so that a lock never stands without its holder's id. */
async function take(lock) {
  const own = `${lock}.${process.pid}`;
  await writeFile(own, String(process.pid));
  try {
    await link(own, lock);
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  } finally {
    await rm(own, { force: true });
  }
}

/** Left behind by a process that was killed. */
async function isLeft(lock) {
  const pid = Number(await readFile(lock, "utf8").catch(() => process.pid));
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error.code === "ESRCH";
  }
}

/** The child's side of `child.ts`: runs commands one after another, ends when nobody asks any more. */
import process from "node:process";
import { createInterface } from "node:readline";

export type Commands = Record<string, (argument: never) => unknown>;

/** `leave` runs when the parent has closed the input. */
export function answer(commands: Commands, leave: () => unknown = () => {}): void {
  const lines = createInterface({ input: process.stdin });
  lines.on("line", async (line) => {
    const { id, command, argument } = JSON.parse(line);
    try {
      const value = await commands[command]!(argument as never);
      process.stdout.write(`@${JSON.stringify({ id, value: value ?? null })}\n`);
    } catch (error) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      process.stdout.write(`@${JSON.stringify({ id, error: text })}\n`);
    }
  });
  lines.on("close", async () => {
    await leave();
    process.exit(0);
  });
}

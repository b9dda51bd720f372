/** Text for one line of a terminal. */

/** Escape sequences: OSC up to its end, CSI, and the two-character ones. */
const ESCAPES =
  /\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[[][0-?]*[ -/]*[@-~]|\u001b[@-Z\\-_]/g;

/**
 * What others wrote (errors, reasons, tags) as harmless text on one line: no escape sequence that
 * moves the cursor or renames the window, no control character, no change of direction.
 */
export function oneLine(text: string): string {
  return text
    .replace(ESCAPES, "")
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ")
    .replace(/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "")
    .trim();
}

/** Like oneLine, but keeps line breaks and tabs. */
export function manyLines(text: string): string {
  return text
    .split("\n")
    .map((line) => line.split("\t").map(keepSpaces).join("\t"))
    .join("\n");
}

function keepSpaces(text: string): string {
  return text.replace(ESCAPES, "").replace(/[\u0000-\u001f\u007f-\u009f]+/g, "");
}

/** Cut to `width` characters, the last one an ellipsis where something is missing. */
export function cut(text: string, width: number): string {
  const characters = [...text];
  if (characters.length <= width) return text;
  return width < 1 ? "" : `${characters.slice(0, width - 1).join("")}…`;
}

/** Breaks at spaces so that no line is longer than `width`; a longer word stands alone. */
export function wrap(text: string, width: number, indent = ""): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && indent.length + line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  lines.push(line);
  return lines.map((each, n) => (n === 0 ? each : indent + each)).join("\n");
}

/** `3 jobs`, `1 job`. */
export function count(n: number, noun: string, plural = `${noun}s`): string {
  return `${n.toLocaleString("en")} ${n === 1 ? noun : plural}`;
}

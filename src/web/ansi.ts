/**
 * Terminal output as HTML: colours and weights become classes, everything else is escaped or left
 * out. Classes, because the page's policy allows no inline style; sixteen colours, because those
 * are chosen to be readable in light and dark. 256 and true colours go to the nearest of them.
 *
 * A writer keeps the style from one piece to the next, so a log can be printed as it arrives.
 */

interface Style {
  fg: number | null;
  bg: number | null;
  flags: Set<Flag>;
}

type Flag = "bold" | "dim" | "italic" | "underline" | "inverse" | "strike";

const SET: Readonly<Record<number, Flag>> = {
  1: "bold",
  2: "dim",
  3: "italic",
  4: "underline",
  7: "inverse",
  9: "strike",
};
const UNSET: Readonly<Record<number, readonly Flag[]>> = {
  22: ["bold", "dim"],
  23: ["italic"],
  24: ["underline"],
  27: ["inverse"],
  29: ["strike"],
};

/** CSI, OSC and the other string controls, two-byte escapes. An unfinished one at the end is dropped. */
const ESCAPE =
  /\x1b(?:\[([0-9:;<=>?]*)([ -/]*)([@-~])|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~]|$)/g;
/** No program styles with more. */
const PARAMETERS_MAX = 200;
/** Controls that mean nothing on a page; tab and line feed stay. */
const CONTROLS = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;

export class AnsiWriter {
  readonly #style: Style = { fg: null, bg: null, flags: new Set() };

  /** HTML for the next piece of text. */
  write(text: string): string {
    const source = overwrite(text);
    let html = "";
    let from = 0;
    for (const match of source.matchAll(ESCAPE)) {
      html += this.#span(source.slice(from, match.index));
      from = match.index + match[0].length;
      if (match[3] === "m" && match[2] === "") this.#apply(match[1] ?? "");
    }
    return html + this.#span(source.slice(from));
  }

  #span(text: string): string {
    const clean = escapeHtml(text.replace(CONTROLS, ""));
    if (clean === "") return "";
    const classes = this.#classes();
    return classes === "" ? clean : `<span class="${classes}">${clean}</span>`;
  }

  #classes(): string {
    const { fg, bg, flags } = this.#style;
    const classes = [...flags].map((flag) => `a-${flag}`);
    if (fg !== null) classes.push(`a-f${fg}`);
    if (bg !== null) classes.push(`a-b${bg}`);
    return classes.join(" ");
  }

  #apply(parameters: string): void {
    const style = this.#style;
    const known = parameters.slice(0, PARAMETERS_MAX).split(/[;:]/);
    const codes = known.map((code) => (code === "" ? 0 : Number(code)));
    for (let i = 0; i < codes.length; i++) {
      const code = codes[i]!;
      if (code === 0) this.#reset();
      else if (SET[code]) style.flags.add(SET[code]);
      else if (UNSET[code]) for (const flag of UNSET[code]) style.flags.delete(flag);
      else if (code >= 30 && code <= 37) style.fg = code - 30;
      else if (code >= 90 && code <= 97) style.fg = code - 82;
      else if (code >= 40 && code <= 47) style.bg = code - 40;
      else if (code >= 100 && code <= 107) style.bg = code - 92;
      else if (code === 39) style.fg = null;
      else if (code === 49) style.bg = null;
      else if (code === 38 || code === 48) {
        const [color, used] = extendedColor(codes.slice(i + 1));
        if (color !== null) style[code === 38 ? "fg" : "bg"] = color;
        i += used;
      }
    }
  }

  #reset(): void {
    this.#style.fg = null;
    this.#style.bg = null;
    this.#style.flags.clear();
  }
}

/**
 * A program that rewrites its line with a carriage return shows what it wrote last. By hand: a
 * pattern would look at a long line once for each of its characters.
 */
function overwrite(text: string): string {
  if (!text.includes("\r")) return text;
  const lines = text.split("\n").map((line) => {
    const whole = line.replace(/\r{1,1000}$/, "");
    return whole.slice(whole.lastIndexOf("\r") + 1);
  });
  // The line it rewrites was printed with the piece before.
  return (/^\r+(?!\n|\r|$)/.test(text.slice(0, 1_000)) ? "\n" : "") + lines.join("\n");
}

export function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

// Colours

/** xterm's sixteen. */
const PALETTE: readonly (readonly [number, number, number])[] = [
  [0, 0, 0],
  [205, 0, 0],
  [0, 205, 0],
  [205, 205, 0],
  [0, 0, 238],
  [205, 0, 205],
  [0, 205, 205],
  [229, 229, 229],
  [127, 127, 127],
  [255, 0, 0],
  [0, 255, 0],
  [255, 255, 0],
  [92, 92, 255],
  [255, 0, 255],
  [0, 255, 255],
  [255, 255, 255],
];

/** What follows 38 or 48: `5;n` or `2;r;g;b`. Answers with the colour and how many codes it took. */
function extendedColor(codes: readonly number[]): [number | null, number] {
  if (codes[0] === 5) {
    const n = codes[1];
    return [n === undefined || !(n >= 0 && n < 256) ? null : indexedColor(n), 2];
  }
  if (codes[0] === 2) {
    const [r, g, b] = codes.slice(1, 4);
    if (r === undefined || g === undefined || b === undefined) return [null, codes.length];
    return [nearest(r, g, b), 4];
  }
  return [null, codes.length];
}

function indexedColor(n: number): number {
  if (n < 16) return n;
  if (n >= 232) {
    const level = 8 + (n - 232) * 10;
    return nearest(level, level, level);
  }
  const level = (value: number) => (value === 0 ? 0 : 55 + value * 40);
  const cube = n - 16;
  return nearest(level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6));
}

function nearest(r: number, g: number, b: number): number {
  let best = 7;
  let least = Number.POSITIVE_INFINITY;
  PALETTE.forEach(([pr, pg, pb], at) => {
    const distance = (r - pr) ** 2 + (g - pg) ** 2 + (b - pb) ** 2;
    if (distance < least) {
      least = distance;
      best = at;
    }
  });
  return best;
}

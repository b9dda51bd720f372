/** Draws a statechart as SVG: boxes where the layout puts them, arrows as the machine has them. */
import { type Arrow, arrowsOf, type Chart } from "./chart.ts";

export interface Box {
  /** Centre. */
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Layout {
  title: string;
  width: number;
  height: number;
  /** The centre of each state. */
  states: Readonly<Record<string, readonly [x: number, y: number]>>;
  /** Frames around states that share moves. */
  groups: Readonly<Record<string, { states: readonly string[]; box: Box }>>;
  /** By "from to": the point that an arrow bends towards; without one it is straight. */
  bends: Readonly<Record<string, readonly [x: number, y: number]>>;
}

const STATE = { width: 136, height: 40 };
const LINE = 15;

/** Throws where the layout has no place for a state, or a bend for an arrow that is not there. */
export function drawChart(chart: Chart, layout: Layout): string {
  const boxes = placeBoxes(chart, layout);
  const members = Object.fromEntries(
    Object.entries(layout.groups).map(([name, group]) => [name, group.states]),
  );
  const arrows = arrowsOf(chart, members);
  for (const bend of Object.keys(layout.bends)) {
    if (!arrows.some(({ from, to }) => `${from} ${to}` === bend)) {
      throw new Error(`The layout bends an arrow "${bend}" that the machine does not have.`);
    }
  }
  const { width, height, title } = layout;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img"` +
      ` font-family="system-ui, sans-serif" font-size="13">`,
    `<title>${title}</title>`,
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8"' +
      ' orient="auto"><path d="M0 0 8 4 0 8z" fill="#555"/></marker></defs>',
    `<rect width="${width}" height="${height}" rx="8" fill="#fff"/>`,
    ...Object.entries(layout.groups).map(([name, { box }]) => frame(name, box)),
    ...arrows.map((arrow) => line(arrow, boxes, layout)),
    ...arrows.map((arrow) => label(arrow, boxes, layout)),
    ...chart.states.map(({ name, final }) => state(name, boxes[name]!, final)),
    "</svg>",
    "",
  ].join("\n");
}

function placeBoxes(chart: Chart, layout: Layout): Record<string, Box> {
  const boxes: Record<string, Box> = {};
  for (const { name } of chart.states) {
    const place = layout.states[name];
    if (!place) throw new Error(`The layout has no place for the state "${name}".`);
    boxes[name] = { x: place[0], y: place[1], ...STATE };
  }
  for (const [name, { box }] of Object.entries(layout.groups)) boxes[name] = box;
  return boxes;
}

// Shapes

function state(name: string, { x, y, width, height }: Box, final: boolean): string {
  const at = `x="${x - width / 2}" y="${y - height / 2}" width="${width}" height="${height}"`;
  const look = final ? 'fill="#eef2f7" stroke-width="2.5"' : 'fill="#fff" stroke-width="1.5"';
  return (
    `<rect ${at} rx="10" stroke="#1f3a5f" ${look}/>` +
    `<text x="${x}" y="${y + 5}" text-anchor="middle" fill="#1f3a5f">${name}</text>`
  );
}

function frame(name: string, { x, y, width, height }: Box): string {
  const left = x - width / 2;
  const top = y - height / 2;
  return (
    `<rect x="${left}" y="${top}" width="${width}" height="${height}" rx="14" fill="#fafafa"` +
    ` stroke="#999" stroke-dasharray="5 4"/>` +
    `<text x="${left + 12}" y="${top + height - 8}" fill="#777">${name}</text>`
  );
}

function line(arrow: Arrow, boxes: Record<string, Box>, layout: Layout): string {
  const [start, bend, end] = course(arrow, boxes, layout);
  const path = `M${start.join(" ")} Q${bend.join(" ")} ${end.join(" ")}`;
  return `<path d="${path}" fill="none" stroke="#555" stroke-width="1.3" marker-end="url(#tip)"/>`;
}

/** The events, one under the other, at the middle of the arrow, on a white halo. */
function label(arrow: Arrow, boxes: Record<string, Box>, layout: Layout): string {
  const [start, bend, end] = course(arrow, boxes, layout);
  const x = round(start[0] / 4 + bend[0] / 2 + end[0] / 4);
  const y = round(start[1] / 4 + bend[1] / 2 + end[1] / 4);
  const first = y + 4 - ((arrow.events.length - 1) * LINE) / 2;
  const lines = arrow.events.map(
    (event, at) => `<tspan x="${x}" y="${first + at * LINE}">${event}</tspan>`,
  );
  return (
    '<text text-anchor="middle" fill="#222" stroke="#fff" stroke-width="5" paint-order="stroke"' +
    ` stroke-linejoin="round">${lines.join("")}</text>`
  );
}

// Geometry

type Point = readonly [x: number, y: number];

/** From border to border, by way of the bend. A box to itself goes round over its top. */
function course(
  { from, to }: Arrow,
  boxes: Record<string, Box>,
  layout: Layout,
): [Point, Point, Point] {
  const a = boxes[from]!;
  const b = boxes[to]!;
  if (from === to) {
    const top = a.y - a.height / 2;
    return [
      [a.x - 55, top],
      [a.x - 35, top - 60],
      [a.x - 15, top],
    ];
  }
  const bend = layout.bends[`${from} ${to}`];
  const start = border(a, bend ?? [b.x, b.y]);
  const end = border(b, bend ?? [a.x, a.y]);
  return [start, bend ?? [round((start[0] + end[0]) / 2), round((start[1] + end[1]) / 2)], end];
}

/** Where the line from the middle of a box towards a point leaves the box. */
function border({ x, y, width, height }: Box, towards: Point): Point {
  const dx = towards[0] - x;
  const dy = towards[1] - y;
  const scale = Math.min(width / 2 / Math.abs(dx || 1e-9), height / 2 / Math.abs(dy || 1e-9));
  return [round(x + dx * scale), round(y + dy * scale)];
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

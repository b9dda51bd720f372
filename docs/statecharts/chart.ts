/** What a picture of a statechart shows, read from the machine itself. */
import type { AnyStateMachine } from "xstate";

export interface Move {
  from: string;
  event: string;
  to: string;
  description: string;
}

export interface Chart {
  states: { name: string; description: string; final: boolean }[];
  moves: Move[];
}

export interface Arrow {
  /** A state or a group. */
  from: string;
  to: string;
  events: string[];
}

export function readChart(machine: AnyStateMachine): Chart {
  const states = Object.values(machine.states).map(({ key, description, type, tags }) => ({
    name: key,
    description: description ?? "",
    final: type === "final" || tags.includes("final"),
  }));
  const moves = Object.values(machine.states).flatMap((node) =>
    [...node.transitions.values()].flat().map(({ eventType, target, description }) => ({
      from: node.key,
      event: eventType,
      to: target?.[0]?.key ?? node.key,
      description: description ?? "",
    })),
  );
  return { states, moves };
}

/**
 * One arrow for all moves between the same two; what every state of a group does, the group does.
 * @param groups by name, the states in each
 */
export function arrowsOf(
  chart: Chart,
  groups: Readonly<Record<string, readonly string[]>>,
): Arrow[] {
  const arrows = new Map<string, Arrow>();
  for (const move of chart.moves) {
    const group = Object.entries(groups).find(([, members]) =>
      sharedBy(members, move, chart.moves),
    );
    const from = group?.[0] ?? move.from;
    const arrow = arrows.get(`${from} ${move.to}`) ?? { from, to: move.to, events: [] };
    if (!arrow.events.includes(move.event)) arrow.events.push(move.event);
    arrows.set(`${from} ${move.to}`, arrow);
  }
  return [...arrows.values()];
}

function sharedBy(members: readonly string[], move: Move, moves: readonly Move[]): boolean {
  if (!members.includes(move.from)) return false;
  return members.every((member) =>
    moves.some(({ from, event, to }) => from === member && event === move.event && to === move.to),
  );
}

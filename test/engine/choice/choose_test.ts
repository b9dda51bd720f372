import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { hasRoom } from "../../../src/core/eligibility/fits.ts";
import type { NameHistory, ScoringInstance } from "../../../src/core/scoring/context.ts";
import { RULES, scoreInto } from "../../../src/core/scoring/score.ts";
import { type ChoiceLine, choose, linesFor } from "../../../src/engine/choice/choose.ts";
import type { Session } from "../../../src/engine/session.ts";
import { Line } from "../../../src/engine/window.ts";
import { aHistory, anInstance, aWorker, NOW } from "../../core/scoring/samples.ts";
import { aWaiting } from "../../support/waiting.ts";

interface Spec {
  sessions: { slots: number; ramMb: number }[];
  lines: { org: number; ramMb: number; jobs: { waited: number; name: number }[] }[];
}

const spec: fc.Arbitrary<Spec> = fc.record({
  sessions: fc.array(
    fc.record({ slots: fc.integer({ min: 1, max: 12 }), ramMb: fc.constantFrom(500, 2_000) }),
    { minLength: 1, maxLength: 3 },
  ),
  lines: fc.array(
    fc.record({
      org: fc.integer({ min: 1, max: 3 }),
      ramMb: fc.constantFrom(0, 0, 100, 400),
      jobs: fc.array(
        fc.record({ waited: fc.nat({ max: 100 }), name: fc.integer({ min: 1, max: 3 }) }),
        { maxLength: 8 },
      ),
    }),
    { minLength: 1, maxLength: 4 },
  ),
});

/** A session as far as a decision knows one. */
function sessionOf({ slots, ramMb }: Spec["sessions"][number], id: number): Session {
  const load = { draining: false, slots, used: 0, ramReservedMb: 0, cpusReserved: 0 };
  const scoring = aWorker({ id, slots, used: 0, ramTotalMb: ramMb, recentNames: new Set([id]) });
  const facts = { ramMb, cpus: null };
  const reserve = (job: { ramMb: number; cpus: number }) => {
    load.used += 1;
    load.ramReservedMb += job.ramMb;
    scoring.used = load.used;
    scoring.ramReservedMb = load.ramReservedMb;
  };
  return { id, workerId: id, load, scoring, facts, reserve } as unknown as Session;
}

function lineOf({ org, ramMb, jobs }: Spec["lines"][number], at: number, sessions: Session[]) {
  const line = new Line(at);
  const rows = jobs.map(({ waited, name }) =>
    aWaiting({ org, name, shape: at, rank: NOW / 1000 - waited, readyAt: NOW - waited * 1000 }),
  );
  rows.sort((a, b) => a.rank - b.rank || (a.id < b.id ? -1 : 1));
  line.append(rows, () => true);
  const requirements = ramMb > 0 ? { ram_mb: ramMb } : {};
  const facts = { org, orgName: "org", kind: "exec", handler: null, requirements } as const;
  const take: ChoiceLine["take"] = (job) => void line.remove(job);
  return { line, facts, ramMb, cpus: 0, sessions, traits: "", take };
}

const HISTORIES: (NameHistory | null)[] = [
  null,
  null,
  aHistory({ ramP95Mb: 300 }),
  aHistory({ ramP95Mb: 1_500, oomRate: 0.5 }),
];

const A_LINE = { org: 1, ramMb: 0, jobs: [] };

function oneJob(at: number, sessions: Session[], rejectedBy: number[]) {
  const line = lineOf(A_LINE, at, sessions);
  line.line.append(
    [aWaiting({ shape: at, rank: NOW / 1000, readyAt: NOW, rejectedBy })],
    () => true,
  );
  return line;
}

function chosen(lines: ChoiceLine[], sessions: Session[]) {
  const usedByOrg = new Map<number, number>();
  const instance = instanceOf(sessions, usedByOrg);
  return choose({ lines, max: 500, instance, usedByOrg, history: () => null, now: NOW });
}

function count(choices: { session: Session }[], sessions: Session[]): number[] {
  return sessions.map((one) => choices.filter(({ session }) => session === one).length);
}

function instanceOf(sessions: Session[], usedByOrg: Map<number, number>): ScoringInstance {
  const slotsOffered = sessions.reduce((sum, s) => sum + s.load.slots, 0);
  return anInstance({ contended: true, activeOrgs: 3, slotsUsed: 10, slotsOffered, usedByOrg });
}

test("equal jobs of very many lines are taken in the order in which they came", () => {
  const sessions = [sessionOf({ slots: 1_000, ramMb: 500 }, 1)];
  const lines = Array.from({ length: 600 }, (_, at) => lineOf(A_LINE, at, sessions));
  const came: string[] = [];
  // Turn by turn, so that the first of each line stand before the second of any.
  for (let turn = 0; turn < 3; turn++) {
    for (const { line } of lines) {
      const job = aWaiting({ shape: line.shape, rank: NOW / 1000, readyAt: NOW });
      line.append([job], () => true);
      came.push(job.id);
    }
  }
  const usedByOrg = new Map<number, number>();
  const taken: string[] = [];
  while (taken.length < came.length) {
    for (const session of sessions) Object.assign(session.load, { used: 0 });
    const max = Math.min(400, came.length - taken.length);
    const waiting = lines.filter(({ line }) => line.size > 0);
    waiting.sort((a, b) => (a.line.at(0)!.id < b.line.at(0)!.id ? -1 : 1));
    const choices = choose({
      lines: waiting.slice(0, linesFor(max)),
      max,
      instance: instanceOf(sessions, usedByOrg),
      usedByOrg,
      history: () => null,
      now: NOW,
    });
    assert.equal(choices.length, max);
    taken.push(...choices.map(({ job }) => job.id));
  }
  assert.deepEqual(taken, came);
});

describe("free slots are given out though very many older jobs are for others", () => {
  const older = (sessions: Session[], rejectedBy: number[]) =>
    Array.from({ length: 300 }, (_, at) => oneJob(at, sessions, rejectedBy));

  test("that are full", () => {
    const [small, wide] = [
      sessionOf({ slots: 1, ramMb: 500 }, 1),
      sessionOf({ slots: 9, ramMb: 500 }, 2),
    ];
    const theirs = Array.from({ length: 9 }, (_, at) => oneJob(1_000 + at, [wide], []));
    const choices = chosen([...older([small], []), ...theirs], [small, wide]);
    assert.deepEqual(count(choices, [small, wide]), [1, 9]);
  });

  test("because the worker that is free has rejected them", () => {
    const [full, free] = [
      sessionOf({ slots: 1, ramMb: 500 }, 1),
      sessionOf({ slots: 9, ramMb: 500 }, 2),
    ];
    full.load.used = 1;
    const theirs = Array.from({ length: 9 }, (_, at) => oneJob(1_000 + at, [free], []));
    const choices = chosen([...older([full, free], [free.workerId]), ...theirs], [full, free]);
    assert.deepEqual(count(choices, [full, free]), [0, 9]);
  });
});

test("every choice is the best pair at that moment, while workers and organizations fill up", () => {
  fc.assert(
    fc.property(spec, (given) => {
      const used = () => new Map([[1, 5]]);
      const sessions = given.sessions.map((s, at) => sessionOf(s, at + 1));
      const lines = given.lines.map((line, at) => lineOf(line, at, sessions));
      const jobs = lines.map(({ line }) =>
        Array.from({ length: line.size }, (_, n) => line.at(n)!),
      );
      const usedByOrg = used();
      const choices = choose({
        lines,
        max: 100,
        instance: instanceOf(sessions, usedByOrg),
        usedByOrg,
        history: (name) => HISTORIES[name] ?? null,
        now: NOW,
      });
      // The same again, with every pair scored before every choice.
      const again = given.sessions.map((s, at) => sessionOf(s, at + 1));
      const usedAgain = used();
      const instance = instanceOf(again, usedAgain);
      const taken = new Set<string>();
      const terms = new Float32Array(RULES.length);
      const pairs = () =>
        lines.flatMap((line, at) =>
          jobs[at]!.filter((job) => !taken.has(job.id)).flatMap((job) =>
            again
              .filter((s) => hasRoom(line.facts, s.facts, s.load))
              .map((session) => {
                const history = HISTORIES[job.name] ?? null;
                const scored = { ...job, ramMb: line.ramMb || null, cpus: null, history };
                const score = scoreInto(terms, scored, session.scoring, instance, NOW);
                return { job, line, session, score };
              }),
          ),
        );
      for (const choice of choices) {
        const open = pairs();
        const best = Math.max(...open.map((pair) => pair.score));
        const mine = open.find((p) => p.job === choice.job && p.session.id === choice.session.id);
        assert.ok(mine, "it was open");
        assert.ok(mine.score >= best - 1e-5, `${mine.score} where there was ${best}`);
        assert.ok(Math.abs(mine.score - choice.score) < 1e-5);
        taken.add(choice.job.id);
        mine.session.reserve(mine.line);
        usedAgain.set(choice.job.org, (usedAgain.get(choice.job.org) ?? 0) + 1);
      }
      assert.deepEqual(pairs(), [], "nothing is left that has room");
    }),
  );
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  checkGraph,
  type Graph,
  type GraphNode,
  type GraphProblem,
  longestPathsBelow,
  pathWeight,
} from "../../src/core/workflow_graph.ts";

const node = (key: string, ...depends_on: (string | { job: string })[]): GraphNode => ({
  key,
  depends_on,
});

function sound(nodes: readonly GraphNode[], known?: ReadonlySet<string>): Graph {
  const check = checkGraph(nodes, known);
  assert.ok(check.ok, check.ok ? "" : check.problems[0]!.message);
  return check.graph;
}

function problems(nodes: readonly GraphNode[], known?: ReadonlySet<string>): GraphProblem[] {
  const check = checkGraph(nodes, known);
  assert.ok(!check.ok, "taken for sound");
  return check.problems;
}

/** Random graphs without cycles: a node depends only on earlier ones, then all are shuffled. */
const acyclic = fc
  .array(fc.array(fc.nat({ max: 200 }), { maxLength: 5 }), { minLength: 1, maxLength: 40 })
  .chain((lists) => {
    const nodes = lists.map((list, at) =>
      node(`n${at}`, ...list.filter(() => at > 0).map((pick) => `n${pick % at}`)),
    );
    return fc.shuffledSubarray(nodes, { minLength: nodes.length });
  });

describe("a workflow's graph", () => {
  test("is ordered with dependencies first, and otherwise as it was written", () => {
    const graph = sound([node("report", "a", "b"), node("b"), node("a"), node("c")]);
    assert.deepEqual(graph.order, [1, 2, 3, 0]);
    assert.deepEqual(graph.dependencies[0], [2, 1]);
    assert.deepEqual(graph.dependents[1], [0]);
  });

  test("may be empty, and a node may name no dependencies at all", () => {
    assert.deepEqual(sound([]).order, []);
    assert.deepEqual(sound([{ key: "a" }]).order, [0]);
  });

  test("counts a dependency named twice once, and leaves jobs from outside to others", () => {
    const graph = sound([node("a"), node("b", "a", { job: "x" }, "a", { job: "x" })]);
    assert.deepEqual(graph.dependencies[1], [0]);
  });

  test("lets added jobs depend on those that the workflow already has", () => {
    const graph = sound([node("b", "a", "a"), node("c", "b")], new Set(["a"]));
    assert.deepEqual(graph.known, [["a"], []]);
    assert.deepEqual(graph.order, [0, 1]);
  });

  test("puts every dependency before its dependents, whatever the graph", () => {
    fc.assert(
      fc.property(acyclic, (nodes) => {
        const graph = sound(nodes);
        assert.deepEqual(
          [...graph.order].sort((a, b) => a - b),
          [...nodes.keys()],
        );
        const place = new Map(graph.order.map((node, at) => [node, at]));
        graph.dependencies.forEach((dependencies, node) => {
          for (const dependency of dependencies) {
            assert.ok(place.get(dependency)! < place.get(node)!);
          }
        });
      }),
    );
  });

  test("survives keys that mean something to JavaScript", () => {
    const keys = ["__proto__", "constructor", "toString", "hasOwnProperty"];
    const graph = sound(keys.map((key, at) => node(key, ...keys.slice(0, at))));
    assert.deepEqual(graph.order, [0, 1, 2, 3]);
    assert.equal(problems([node("a", "constructor")])[0]!.code, "unknown_key");
  });
});

describe("a workflow that is not sound", () => {
  test("is told the unknown key, who names it and where", () => {
    assert.deepEqual(problems([node("a"), node("b", "a", "lint")]), [
      {
        code: "unknown_key",
        path: [1, "depends_on", 1],
        message: '"b" depends on "lint", which is no job of this workflow.',
        keys: ["lint"],
      },
    ]);
  });

  test("is told the key that two jobs share, or that the workflow has already", () => {
    const [twice] = problems([node("a"), node("a")]);
    assert.deepEqual([twice!.code, twice!.path, twice!.keys], ["duplicate_key", [1, "key"], ["a"]]);
    const [again] = problems([node("a")], new Set(["a"]));
    assert.match(again!.message, /already has a job with the key "a"/);
  });

  test("is told which job depends on itself", () => {
    const [self] = problems([node("a", "a")]);
    assert.equal(self!.code, "self_dependency");
    assert.equal(self!.message, '"a" depends on itself.');
  });

  test("is told several faults at once, but no more than twenty", () => {
    const nodes = Array.from({ length: 50 }, (_, at) => node(`n${at}`, "nowhere", `n${at}`));
    const found = problems(nodes);
    assert.equal(found.length, 20);
    assert.deepEqual(
      new Set(found.map(({ code }) => code)),
      new Set(["unknown_key", "self_dependency"]),
    );
  });

  test("is told the keys of the cycle, each waiting for the next", () => {
    const nodes = [
      node("root"),
      node("a", "root", "c"),
      node("b", "a"),
      node("c", "b"),
      node("d", "c"),
    ];
    const [cycle] = problems(nodes);
    assert.equal(cycle!.code, "cycle");
    assert.deepEqual(cycle!.keys, ["a", "c", "b"]);
    assert.equal(cycle!.message, 'These jobs wait for each other: "a" → "c" → "b" → "a".');
    assert.deepEqual(cycle!.path, [1, "depends_on"]);
  });

  test("is told a true cycle wherever one is put in", () => {
    fc.assert(
      fc.property(acyclic, fc.nat(), fc.nat(), (nodes, from, to) => {
        const graph = sound(nodes);
        const first = nodes[graph.order[Math.min(from, to) % nodes.length]!]!;
        const last = nodes[graph.order[Math.max(from, to) % nodes.length]!]!;
        if (first === last) return;
        const wired = nodes.map((each) => {
          if (each === first) return node(each.key, ...each.depends_on!, last.key);
          if (each === last) return node(each.key, ...each.depends_on!, first.key);
          return each;
        });
        const [problem] = problems(wired);
        assert.equal(problem!.code, "cycle");
        problem!.keys.forEach((key, at) => {
          const next = problem!.keys[(at + 1) % problem!.keys.length]!;
          assert.ok(wired.find((each) => each.key === key)!.depends_on!.includes(next));
        });
      }),
    );
  });
});

describe("the longest path below a job", () => {
  test("counts the jobs on the longest way, itself left out", () => {
    const nodes = [node("a"), node("b", "a"), node("c", "b"), node("side", "a"), node("alone")];
    assert.deepEqual(longestPathsBelow(sound(nodes)), [2, 1, 0, 0, 0]);
  });

  test("takes the heaviest way, not the one with the most jobs", () => {
    const nodes = [node("a"), node("quick", "a"), node("end", "quick"), node("slow", "a")];
    assert.deepEqual(longestPathsBelow(sound(nodes), [1, 1, 1, 30]), [30, 1, 0, 0]);
  });

  test("is never less than that of any job below, plus its weight", () => {
    fc.assert(
      fc.property(acyclic, (nodes) => {
        const graph = sound(nodes);
        const below = longestPathsBelow(graph);
        graph.dependents.forEach((dependents, node) => {
          const wanted = Math.max(0, ...dependents.map((dependent) => 1 + below[dependent]!));
          assert.equal(below[node], wanted);
        });
      }),
    );
  });

  test("weighs a job by the minutes that its name takes, within bounds", () => {
    assert.deepEqual(
      [null, undefined, 0, 60_000, 600_000, 1e12, -5].map(pathWeight),
      [1, 1, 1, 2, 11, 61, 1],
    );
  });
});

describe("a workflow of 10,000 jobs", () => {
  const chain = Array.from({ length: 10_000 }, (_, at) =>
    node(`n${at}`, ...(at ? [`n${at - 1}`] : [])),
  );

  test("may be one chain, written backwards, without overflowing the stack", () => {
    const graph = sound([...chain].reverse());
    assert.equal(graph.order[0], 9_999);
    assert.equal(longestPathsBelow(graph)[9_999], 9_999);
  });

  test("may be one circle: the message stays readable and the keys are all there", () => {
    const [cycle] = problems([node("n0", "n9999"), ...chain.slice(1)]);
    assert.equal(cycle!.keys.length, 10_000);
    assert.ok(cycle!.message.length < 300, cycle!.message);
    assert.match(cycle!.message, /9988 more → "n0"\.$/);
  });

  test("may be 200 jobs that all depend on 200 others, in a moment", () => {
    const first = Array.from({ length: 200 }, (_, at) => node(`a${at}`));
    const keys = first.map(({ key }) => key);
    const second = Array.from({ length: 200 }, (_, at) => node(`b${at}`, ...keys));
    assert.equal(sound([...second, ...first]).order.length, 400);
  });
});

/**
 * The graph of a workflow: is it sound, in which order can it be written, and how long is the way
 * below each job. Everything is iterative: a chain of 10,000 jobs must not overflow the stack.
 */

/** A job of a workflow as its author wrote it. `{job}` names a job outside, checked elsewhere. */
export interface GraphNode {
  key: string;
  depends_on?: readonly (string | { job: string })[] | undefined;
}

export interface GraphProblem {
  code: "duplicate_key" | "unknown_key" | "self_dependency" | "cycle";
  /** Where it is wrong, from the list of nodes: [3, "depends_on", 0]. */
  path: (string | number)[];
  /** A sentence that names the keys. */
  message: string;
  /** The keys concerned; of a cycle all, each waiting for the next and the last for the first. */
  keys: string[];
}

/** Positions in the given list, so that nothing is looked up by key again. */
export interface Graph {
  /** A topological order: dependencies first, and as written where that is free to choose. */
  order: number[];
  /** By node: the nodes of this list that it waits for, each once. */
  dependencies: number[][];
  /** By node: the nodes that wait for it. */
  dependents: number[][];
  /** By node: keys that stand in `known` and not in this list, each once. */
  known: string[][];
}

export type GraphCheck = { ok: true; graph: Graph } | { ok: false; problems: GraphProblem[] };

/** More are not worth reading; the first ones usually cause the others. */
const PROBLEMS_MAX = 20;
/** Keys of a cycle that its message spells out. */
const SPELLED_MAX = 12;

/**
 * Checks keys and dependencies. Lists every unknown, repeated and self-naming key (at most 20), and
 * one cycle where there is no other fault.
 * @param known keys that exist already, where jobs are added to a workflow
 */
export function checkGraph(
  nodes: readonly GraphNode[],
  known: ReadonlySet<string> = new Set(),
): GraphCheck {
  const problems: GraphProblem[] = [];
  const positions = indexKeys(nodes, known, problems);
  const graph = linkNodes(nodes, positions, known, problems);
  if (problems.length > 0) return { ok: false, problems: problems.slice(0, PROBLEMS_MAX) };
  graph.order = topologicalOrder(graph);
  if (graph.order.length < nodes.length) {
    return { ok: false, problems: [describeCycle(nodes, findCycle(graph))] };
  }
  return { ok: true, graph };
}

/**
 * The longest weighted path below each node, itself not counted: 0 for one that nobody waits for.
 * @param weights by node, see `pathWeight`; absent means 1 each
 */
export function longestPathsBelow(graph: Graph, weights?: readonly number[]): number[] {
  const below = new Array<number>(graph.order.length).fill(0);
  for (let at = graph.order.length - 1; at >= 0; at -= 1) {
    const node = graph.order[at]!;
    let longest = 0;
    for (const dependent of graph.dependents[node]!) {
      longest = Math.max(longest, (weights?.[dependent] ?? 1) + below[dependent]!);
    }
    below[node] = longest;
  }
  return below;
}

/** A job counts 1, and 1 more for each minute that its name usually takes, 61 at most. */
export function pathWeight(meanRunMs: number | null | undefined): number {
  return 1 + Math.min(60, Math.max(0, meanRunMs ?? 0) / 60_000);
}

// Reading the nodes

function indexKeys(
  nodes: readonly GraphNode[],
  known: ReadonlySet<string>,
  problems: GraphProblem[],
): Map<string, number> {
  const positions = new Map<string, number>();
  nodes.forEach(({ key }, node) => {
    const twice = positions.has(key);
    if (twice || known.has(key)) {
      problems.push({
        code: "duplicate_key",
        path: [node, "key"],
        message: twice
          ? `Two jobs have the key "${key}": give each job a key of its own.`
          : `The workflow already has a job with the key "${key}".`,
        keys: [key],
      });
    }
    if (!twice) positions.set(key, node);
  });
  return positions;
}

function linkNodes(
  nodes: readonly GraphNode[],
  positions: ReadonlyMap<string, number>,
  known: ReadonlySet<string>,
  problems: GraphProblem[],
): Graph {
  const empty = <T>() => nodes.map((): T[] => []);
  const graph: Graph = {
    order: [],
    dependencies: empty<number>(),
    dependents: empty<number>(),
    known: empty<string>(),
  };
  nodes.forEach(({ key, depends_on }, node) => {
    const seen = new Set<string>();
    depends_on?.forEach((wanted, at) => {
      if (typeof wanted !== "string" || seen.has(wanted)) return;
      seen.add(wanted);
      const dependency = positions.get(wanted);
      if (wanted === key) problems.push(selfDependency(key, node, at));
      else if (dependency !== undefined) {
        graph.dependencies[node]!.push(dependency);
        graph.dependents[dependency]!.push(node);
      } else if (known.has(wanted)) graph.known[node]!.push(wanted);
      else problems.push(unknownKey(key, wanted, node, at));
    });
  });
  return graph;
}

function selfDependency(key: string, node: number, at: number): GraphProblem {
  return {
    code: "self_dependency",
    path: [node, "depends_on", at],
    message: `"${key}" depends on itself.`,
    keys: [key],
  };
}

function unknownKey(key: string, wanted: string, node: number, at: number): GraphProblem {
  return {
    code: "unknown_key",
    path: [node, "depends_on", at],
    message: `"${key}" depends on "${wanted}", which is no job of this workflow.`,
    keys: [wanted],
  };
}

// Order and cycles

function topologicalOrder({ dependencies, dependents }: Graph): number[] {
  const left = dependencies.map((list) => list.length);
  const order: number[] = [];
  left.forEach((count, node) => {
    if (count === 0) order.push(node);
  });
  // `order` grows while it is read: what stands behind the cursor is the queue of Kahn's method.
  for (let at = 0; at < order.length; at += 1) {
    for (const dependent of dependents[order[at]!]!) {
      left[dependent]! -= 1;
      if (left[dependent] === 0) order.push(dependent);
    }
  }
  return order;
}

/** From a node that could not be ordered, walks along such dependencies until one repeats. */
function findCycle({ order, dependencies }: Graph): number[] {
  const ordered = new Set(order);
  const path: number[] = [];
  const place = new Map<number, number>();
  let node = dependencies.findIndex((_, candidate) => !ordered.has(candidate));
  while (!place.has(node)) {
    place.set(node, path.length);
    path.push(node);
    node = dependencies[node]!.find((dependency) => !ordered.has(dependency))!;
  }
  return path.slice(place.get(node));
}

function describeCycle(nodes: readonly GraphNode[], cycle: readonly number[]): GraphProblem {
  const keys = cycle.map((node) => nodes[node]!.key);
  const spelled = keys.slice(0, SPELLED_MAX).map((key) => `"${key}"`);
  if (keys.length > SPELLED_MAX) spelled.push(`${keys.length - SPELLED_MAX} more`);
  return {
    code: "cycle",
    path: [cycle[0]!, "depends_on"],
    message: `These jobs wait for each other: ${spelled.join(" → ")} → "${keys[0]}".`,
    keys,
  };
}

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GraphNode } from '../../backend/graph/index.ts';

/**
 * What a process must be started with so that TensorFlow writes down the graphs of its optimiser (grappler): its C API does
 * not give them. tensorflow/core/grappler/optimizers/meta_optimizer.cc dumps at verbosity 4; where to is looked up at
 * each dump (tensorflow/core/util/dump_graph.cc).
 */
export const dumpingEnvironment = { TF_CPP_VMODULE: 'meta_optimizer=4' } as const;
const folderVariable = 'TF_DUMP_GRAPH_PREFIX';

/** A graph as TensorFlow runs it. */
export interface OptimisedGraph {
  /** Operations that compute something. */
  readonly operations: number;
  /** How often which of them, most frequent first. */
  readonly kinds: { readonly op: string; readonly count: number }[];
}

type Nodes = readonly Pick<GraphNode, 'name' | 'op'>[];

/** They hold, feed, fetch and order values. */
const bookkeeping = new Set([
  'AssignVariableOp',
  'Const',
  'DeepCopy',
  'Identity',
  'NoOp',
  'Placeholder',
  'ReadVariableOp',
  'Unpack',
  'VarHandleOp',
]);

/** Collects what TensorFlow's optimiser makes of graphs that are run for the first time. */
export class OptimisedGraphs {
  readonly #folder = mkdtempSync(join(tmpdir(), 'accelhydra-optimised-'));

  /** What is optimised from here on is noted as belonging to graph `number`. */
  begin(number: number): void {
    process.env[folderVariable] = join(this.#folder, String(number));
  }

  end(): void {
    Reflect.deleteProperty(process.env, folderVariable);
  }

  /** What became of a graph; undefined where TensorFlow wrote nothing down. */
  find(number: number, nodes: Nodes): OptimisedGraph | undefined {
    return summarise(nodes, this.#dumps(join(this.#folder, String(number))));
  }

  dispose(): void {
    this.end();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #dumps(folder: string): Nodes[] {
    let files: string[];
    try {
      files = readdirSync(folder);
    } catch {
      return [];
    }
    return files
      .filter((file) => /^after_MetaOptimizer_\d+(_\d+)?\.pbtxt$/.test(file))
      .map((file) => nodesOf(readFileSync(join(folder, file), 'utf8')));
  }
}

/** Names and operations of a GraphDef in protobuf's text form. */
export function nodesOf(text: string): Nodes {
  const nodes: { name: string; op: string }[] = [];
  let name = '';
  for (const line of text.split('\n')) {
    const [, key, value] = /^ {2}(name|op): "(.*)"$/.exec(line) ?? [];
    if (key === 'name') name = value ?? '';
    if (key === 'op') nodes.push({ name, op: value ?? '' });
  }
  return nodes;
}

/**
 * A graph is optimised once for each set of results that is asked for, as parts of it. The largest parts that have no
 * operation in common are what it runs; a part with variables or feeds that the graph does not have is of another graph.
 */
export function summarise(nodes: Nodes, dumps: readonly Nodes[]): OptimisedGraph | undefined {
  const own = new Map(nodes.map(({ name, op }) => [name, op]));
  const taken = new Map<string, string>();
  const parts = dumps
    .filter((part) => part.every(({ name, op }) => !isRoot(op) || own.get(name) === op))
    .map((part) => part.filter(({ op }) => !bookkeeping.has(op)))
    .sort((a, b) => b.length - a.length);
  for (const part of parts)
    if (part.every(({ name }) => !taken.has(name))) for (const { name, op } of part) taken.set(name, op);
  if (taken.size === 0) return undefined;
  return { operations: taken.size, kinds: countKinds(taken.values()) };
}

/** How often which operation, most frequent first. */
export function countKinds(ops: Iterable<string>): OptimisedGraph['kinds'] {
  const kinds = new Map<string, number>();
  for (const op of ops) kinds.set(op, (kinds.get(op) ?? 0) + 1);
  return [...kinds].map(([op, count]) => ({ op, count })).sort((a, b) => b.count - a.count);
}

const isRoot = (op: string): boolean => op === 'VarHandleOp' || op === 'Placeholder';

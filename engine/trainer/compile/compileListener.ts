import type { Constant, GraphNode, Obstacle } from '../../backend/graph/index.ts';
import { spokenSignature } from './batchWatch.ts';
import type { Compiled } from './compiled.ts';
import { placeOf } from './placeOf.ts';

/** A constant that a graph holds: made on the host while the step was recorded, and taken to be the same each time. */
export interface CapturedConstant {
  readonly shape: readonly number[];
  readonly bytes: number;
  /** The user's line that made it; undefined for those of layers, losses and optimizers. */
  readonly place: string | undefined;
}

/** A graph that was made, for people who want to know. */
export interface CompiledGraph {
  /** Shapes and types of the batch that it is for. */
  readonly signature: string;
  /** Whether the step's JavaScript runs beside it each time. */
  readonly isHost: boolean;
  /** Why it does, where that was seen, with the user's line. */
  readonly hostWhy: string | undefined;
  readonly parts: readonly string[];
  /** Operations that the recorded step ran, one call of TensorFlow each. */
  readonly recorded: number;
  /** Those of them that the graph has: what nobody needs is left out. */
  readonly operations: number;
  /** With variables, constants, feeds, and what keeps reads before writes. */
  readonly nodes: readonly GraphNode[];
  readonly constants: readonly CapturedConstant[];
  /** Values made on the host that it is fed with at each step. */
  readonly varying: number;
  /** Recording it twice, comparing, and loading it into TensorFlow. */
  readonly milliseconds: number;
}

/** Hears what becomes of steps that are to be compiled. */
export interface CompileListener {
  compiled(graph: CompiledGraph): void;
  /** Steps stay eager from here on. `place` is the user's line. */
  refused(reason: string, place: string | undefined): void;
}

export function describeGraph(
  { step, isHost, hostWhy }: Compiled,
  signature: string,
  milliseconds: number,
): CompiledGraph {
  const { trace, graph, varying, partNames } = step;
  const constants = new Set<Constant>();
  for (const { inputs } of trace.operations)
    for (const input of inputs) if (input.kind === 'constant' && !varying.has(input)) constants.add(input);
  return {
    signature: spokenSignature(signature),
    isHost,
    hostWhy: hostWhy && [hostWhy.reason, placeOf(hostWhy.at)].filter((text) => text !== undefined).join(', '),
    parts: partNames,
    recorded: trace.operations.length,
    operations: Math.max(...graph.parts.map(({ operationCount }) => operationCount)),
    nodes: graph.nodes,
    constants: [...constants].map(({ value, madeAt }) => ({
      shape: value.shape,
      bytes: value.bytes.length,
      place: placeOf(madeAt),
    })),
    varying: varying.size,
    milliseconds,
  };
}

export function tellRefusal(listener: CompileListener | undefined, { reason, at }: Obstacle): void {
  listener?.refused(reason, placeOf(at));
}

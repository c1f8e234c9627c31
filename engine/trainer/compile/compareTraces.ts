import { type Constant, difference, type Obstacle, sameValue } from '../../backend/graph/index.ts';
import { isPacked } from './fedPart.ts';
import type { StepTrace } from './stepTrace.ts';

export interface Comparison {
  /** Why they are not the same step; undefined when they are. */
  readonly obstacle: Obstacle | undefined;
  /** Constants of the second that had other values in the first. */
  readonly varying: ReadonlySet<Constant>;
}

/** Compares two recordings of a step, the update left out. */
export function compareTraces(first: StepTrace, second: StepTrace): Comparison {
  const varying = new Set<Constant>();
  const obstacle =
    difference(first.operations.slice(0, first.stepLength), second.operations.slice(0, second.stepLength), {
      until: second.forwardLength,
      varying,
    }) ?? resultDifference(first, second);
  return { obstacle, varying };
}

function resultDifference(first: StepTrace, second: StepTrace): Obstacle | undefined {
  if (!sameValue(first.loss, second.loss))
    return { reason: 'its loss comes from another operation each time', at: undefined };
  const names = [...first.logged.keys()].join();
  if (names !== [...second.logged.keys()].join()) return { reason: 'it logs other values each time', at: undefined };
  return undefined;
}

/**
 * What a graph beside a step's JavaScript is fed with: constants that vary, and every number that training_step makes, so
 * that it does not depend on history which of them have varied so far.
 */
export function hostConstants(trace: StepTrace, varying: ReadonlySet<Constant>): ReadonlySet<Constant> {
  const found = new Set(varying);
  for (const { inputs } of trace.operations.slice(0, trace.forwardLength))
    for (const input of inputs)
      if (input.kind === 'constant' && input.order < trace.forwardLength && isPacked(input)) found.add(input);
  return found;
}

/** Why code that may only compute tensors from what it is given, in two recordings, is not one graph of that. */
export function impureWork({ obstacle, hostWork, changes }: StepTrace): Obstacle | undefined {
  return obstacle ?? hostWork ?? (changes.size > 0 ? { reason: 'it changes a variable', at: undefined } : undefined);
}

export function impureDifference(first: StepTrace, second: StepTrace): Obstacle | undefined {
  const { obstacle, varying } = compareTraces(first, second);
  return obstacle ?? firstVarying(varying);
}

/** The first of the values that are others each time, as a reason. */
export function firstVarying([constant]: Iterable<Constant>): Obstacle | undefined {
  return constant && { reason: 'it makes another value on the host each time', at: constant.madeAt };
}

import { didYouMean, nearest } from '../../base/nearest.ts';
import { fullKeyOf, keyText } from '../container/fullKey.ts';
import type { ConfigNode, DictNode } from '../node/node.ts';
import { describeOrigin } from '../node/origin.ts';
import type { ResolveContext } from '../resolve/context.ts';
import { checkArguments } from './checkArguments.ts';
import { checkValue, type Follow, hintOf, own } from './checkValue.ts';
import type { TargetSchema, TargetSchemas } from './jsonSchema.ts';
import type { GivenAtCall, SchemaProblem } from './problem.ts';
import { CONTROL_KEYS, followWith, type TargetNode, targetNodes } from './walkTargets.ts';

export interface ValidateOptions {
  /** Sections that are really built; all of the config unless given. */
  readonly roots?: readonly string[];
  /** What the program adds to the target at a path. */
  readonly givenAt?: (path: string) => GivenAtCall | undefined;
}

/** A config and the means to resolve it: any Composition. */
export interface ComposedTree {
  readonly config: DictNode;
  readonly context: ResolveContext;
}

/**
 * Unknown and missing arguments and values of a wrong type, before anything is built and without running any code of the
 * project. Interpolated values are checked as what they resolve to. What cannot be known stays silent.
 */
export function validate(
  { config, context }: ComposedTree,
  targets: TargetSchemas,
  options: ValidateOptions = {},
): readonly SchemaProblem[] {
  const follow = followWith(context);
  const roots = options.roots === undefined ? [config] : options.roots.flatMap((root) => config.get(root) ?? []);
  const problems: SchemaProblem[] = [];
  for (const found of targetNodes(roots, follow)) {
    const given = options.givenAt?.(fullKeyOf(found.node)) ?? { args: 0, options: [] };
    if (found.args === undefined) continue;
    const schema = targets(found.target, found.args.length + given.args);
    if (schema) problems.push(...checkTarget(found, schema, given, follow));
  }
  return problems;
}

function checkTarget(found: TargetNode, schema: TargetSchema, given: GivenAtCall, follow: Follow): SchemaProblem[] {
  const { node, target } = found;
  const { properties = {}, required = [], additionalProperties } = schema.options;
  const known = Object.keys(properties);
  const isOpen = additionalProperties === true || typeof additionalProperties === 'object';
  const problems: SchemaProblem[] = [];
  for (const child of node.values()) {
    const key = keyText(child.key ?? '');
    const option = own(properties, key);
    if (CONTROL_KEYS.has(key) || given.options.includes(key)) continue;
    if (option === undefined) {
      if (!isOpen) problems.push(unknownArgument(child, key, known, schema, given.args));
      continue;
    }
    const mismatch = checkValue(child, option, follow);
    if (mismatch === undefined) continue;
    const path = fullKeyOf(mismatch.node);
    const message = `'${path}' ${mismatch.reason}: ${target} says so.${hintOf(mismatch)}`;
    problems.push({ kind: 'wrong-value', path, target, message, origin: mismatch.node.origin ?? child.origin });
  }
  problems.push(...checkArguments(found, schema, given, follow));
  if (found.isPartial || given.options.includes('*')) return problems;
  const holder = fullKeyOf(node);
  for (const name of required) {
    if (node.has(name) || given.options.includes(name)) continue;
    const path = holder === '' ? name : `${holder}.${name}`;
    // An option that was misspelt is told once, where it stands.
    if (problems.some((problem) => problem.nearest === name)) continue;
    const message = `'${path}' is missing: ${target} needs '${name}'.`;
    problems.push({ kind: 'missing-argument', path, target, message, origin: found.targetNode.origin });
  }
  return problems;
}

function unknownArgument(
  child: ConfigNode,
  key: string,
  known: readonly string[],
  { target, isPositional, parameters = [] }: TargetSchema,
  givenArgs: number,
): SchemaProblem {
  const path = fullKeyOf(child);
  const problem = { kind: 'unknown-argument', path, target, origin: child.origin } as const;
  const places = parameters.slice(givenArgs);
  if (isPositional && places.length > 0) {
    const message =
      `'${path}' is given by name, but ${target} takes its arguments by position: ` +
      `write _args_: [${places.map(({ name, isRest }) => `${isRest ? '...' : ''}${name}`).join(', ')}].`;
    return { ...problem, message };
  }
  const takes = known.length === 0 ? 'no options' : known.join(', ');
  const message = `'${path}' is unknown: ${target} has no option '${key}'.${didYouMean(key, known)} It takes ${takes}.`;
  return { ...problem, message, nearest: nearest(key, known) };
}

/** The problem as a line for a person, with its place. */
export function describeProblem({ message, origin }: SchemaProblem): string {
  return origin === undefined ? message : `${message}\n    at ${describeOrigin(origin)}`;
}

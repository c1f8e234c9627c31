import { didYouMean, nearest } from '../../base/nearest.ts';
import { fullKeyOf, keyText } from '../container/fullKey.ts';
import type { ConfigNode, DictNode } from '../node/node.ts';
import { describeOrigin, type Origin } from '../node/origin.ts';
import type { ResolveContext } from '../resolve/context.ts';
import { checkValue, type Follow, own } from './checkValue.ts';
import type { TargetSchema, TargetSchemas } from './jsonSchema.ts';
import { CONTROL_KEYS, followWith, type TargetNode, targetNodes } from './walkTargets.ts';

/** Something in a config that would fail when it is built. */
export interface SchemaProblem {
  readonly kind: 'unknown-argument' | 'missing-argument' | 'wrong-value';
  /** Dotted path of the key. */
  readonly path: string;
  readonly target: string;
  /** A sentence without the place. */
  readonly message: string;
  /** Where the value was written; of a missing one, the `_target_`. */
  readonly origin: Origin | undefined;
  readonly nearest?: string | undefined;
}

/** What a program gives to a target besides what the config says. */
export interface GivenAtCall {
  /** How many positional arguments come first. */
  readonly args: number;
  /** Keyword arguments by name; `'*'` says that any option may be filled in. */
  readonly options: readonly string[];
}

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
    const schema = targets(found.target, found.args + given.args);
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
      if (!isOpen) problems.push(unknownArgument(child, key, known, target));
      continue;
    }
    const mismatch = checkValue(child, option, follow);
    if (mismatch === undefined) continue;
    const path = fullKeyOf(mismatch.node);
    const message = `'${path}' ${mismatch.reason}: ${target} says so.`;
    problems.push({ kind: 'wrong-value', path, target, message, origin: mismatch.node.origin ?? child.origin });
  }
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

function unknownArgument(child: ConfigNode, key: string, known: readonly string[], target: string): SchemaProblem {
  const takes = known.length === 0 ? 'no options' : known.join(', ');
  return {
    kind: 'unknown-argument',
    path: fullKeyOf(child),
    target,
    message: `'${fullKeyOf(child)}' is unknown: ${target} has no option '${key}'.${didYouMean(key, known)} It takes ${takes}.`,
    origin: child.origin,
    nearest: nearest(key, known),
  };
}

/** The problem as a line for a person, with its place. */
export function describeProblem({ message, origin }: SchemaProblem): string {
  return origin === undefined ? message : `${message}\n    at ${describeOrigin(origin)}`;
}

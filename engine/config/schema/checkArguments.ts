import { fullKeyOf } from '../container/fullKey.ts';
import { checkValue, type Follow, hintOf } from './checkValue.ts';
import type { TargetSchema } from './jsonSchema.ts';
import type { GivenAtCall, SchemaProblem } from './problem.ts';
import type { TargetNode } from './walkTargets.ts';

/** What is wrong with the arguments that go by position: `_args_`, after those that the program adds. */
export function checkArguments(
  found: TargetNode,
  schema: TargetSchema,
  given: GivenAtCall,
  follow: Follow,
): SchemaProblem[] {
  const { target, args = [], targetNode } = found;
  const { parameters, isPositional = false } = schema;
  if (parameters === undefined) return [];
  const problems: SchemaProblem[] = [];
  const rest = parameters.at(-1)?.isRest ? parameters.at(-1) : undefined;
  for (const [index, node] of args.entries()) {
    const parameter = parameters[given.args + index] ?? rest;
    const path = fullKeyOf(node);
    if (parameter === undefined) {
      const most = Math.max(parameters.length - given.args, 0);
      const takes = most === 0 ? 'none' : `at most ${most} (${names(schema, given.args)})`;
      const message = `'${path}' is one argument too many: ${target} takes ${takes} by position.`;
      problems.push({ kind: 'unknown-argument', path, target, message, origin: node.origin });
      break;
    }
    const mismatch = checkValue(node, parameter.schema, follow);
    if (mismatch === undefined) continue;
    const message = `'${fullKeyOf(mismatch.node)}' (${parameter.name}) ${mismatch.reason}: ${target} says so.${hintOf(mismatch)}`;
    problems.push({ kind: 'wrong-value', path, target, message, origin: mismatch.node.origin ?? node.origin });
  }
  if (found.isPartial || given.options.includes('*')) return problems;
  const count = given.args + args.length;
  // The object of options is the argument after those by position.
  const first = isPositional ? count : count + 1;
  for (const [index, { name, isRequired }] of parameters.entries()) {
    if (index < first || !isRequired) continue;
    const path = `${fullKeyOf(found.node)}._args_`.replace(/^\./, '');
    const message = `'${path}' lacks '${name}': ${target} needs it as argument ${index - given.args + 1} (${names(schema, given.args)}).`;
    problems.push({ kind: 'missing-argument', path, target, message, origin: targetNode.origin });
  }
  return problems;
}

function names({ parameters = [] }: TargetSchema, from: number): string {
  return parameters
    .slice(from)
    .map(({ name, isRequired, isRest }) => (isRest ? `...${name}` : isRequired ? name : `${name}?`))
    .join(', ');
}

import type { z } from 'zod';
import { EngineError } from '../api/errors.ts';
import { didYouMean, nearest } from '../base/nearest.ts';

/** A class or factory that says which keyword options it takes. Composer and warm-up adapter read it. */
export interface DeclaresOptions {
  readonly optionsSchema: z.ZodObject;
}

/**
 * Checks the keyword options that a config gives to `target` and fills in the defaults.
 * @throws EngineError `optim.option.unknown` (with what was probably meant) | `optim.option.invalid`
 */
export function parseOptions<S extends z.ZodObject>(schema: S, options: unknown, target: string): z.output<S> {
  const given = options ?? {};
  if (typeof given !== 'object' || Array.isArray(given)) {
    throw new EngineError(
      'optim.option.invalid',
      `${target} takes its options as one object such as { ${Object.keys(schema.shape)[0] ?? ''}: … }, not ${describe(given)}.`,
      { target },
    );
  }
  const known = Object.keys(schema.shape);
  for (const option of Object.keys(given)) {
    if (known.includes(option)) continue;
    throw new EngineError(
      'optim.option.unknown',
      `${target} has no option '${option}'.${didYouMean(option, known)} It takes: ${known.join(', ') || 'none'}.`,
      { target, option, nearest: nearest(option, known), known },
    );
  }
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const path = (issue?.path ?? []).join('.');
  throw new EngineError(
    'optim.option.invalid',
    path === '' ? `${target}: ${issue?.message}.` : `${target}: option '${path}' is wrong: ${issue?.message}.`,
    { target, option: path, value: valueAt(given, issue?.path ?? []) },
  );
}

/** Refuses a combination of options that no single option's type can express. */
export function refuseOptions(target: string, reason: string, details: Readonly<Record<string, unknown>> = {}): never {
  throw new EngineError('optim.option.invalid', `${target}: ${reason}`, { target, ...details });
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let current = value;
  for (const key of path) {
    if (typeof current !== 'object' || current === null) return undefined;
    current = Reflect.get(current, key);
  }
  return current;
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  return `${typeof value} '${String(value)}'`;
}

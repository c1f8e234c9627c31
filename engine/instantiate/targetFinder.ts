import { EngineError } from '../api/errors.ts';
import type { Origin } from '../config/index.ts';
import { describeType, describeValue } from './describe.ts';
import { InstantiateError } from './errors.ts';
import { isCallable } from './invoke.ts';
import type { LocatedTarget, TargetLocator } from './locate/locatedTarget.ts';
import { type CheckedWhitelist, isBlocked, isWhitelisted } from './whitelist.ts';

/** The place of a target in the config, for messages. */
export interface TargetPlace {
  readonly fullKey: string;
  readonly origin: Origin | undefined;
}

/** Finds the callable behind a name, refusing names that are not allowed before any of their code runs. */
export async function findTarget(
  target: string,
  locator: TargetLocator,
  whitelist: CheckedWhitelist,
  place: TargetPlace,
): Promise<LocatedTarget> {
  const check = (name: string): void => checkAllowed(name, whitelist, place);
  // What is blocked has its own answer even though nothing of that name could be found.
  if (whitelist === undefined) check(target);
  try {
    const located = await locator.locate(target, check);
    if (isCallable(located.value)) return located;
    throw notCallable(located.value, place);
  } catch (error) {
    if (!(error instanceof InstantiateError)) throw error;
    // Of a name that nobody has and nobody allowed, the second comes first.
    if (EngineError.is(error, 'instantiate.target-not-found')) check(target);
    throw error.locatedAt(place);
  }
}

export function notCallable(value: unknown, place: TargetPlace): InstantiateError {
  return new InstantiateError(
    'target-not-callable',
    `Expected a callable target, got '${describeValue(value)}' of type '${describeType(value)}'`,
    place,
  );
}

function checkAllowed(name: string, whitelist: CheckedWhitelist, place: TargetPlace): void {
  if (typeof whitelist === 'symbol') return;
  if (whitelist === undefined ? !isBlocked(name) : isWhitelisted(name, whitelist)) return;
  const message =
    whitelist === undefined
      ? `Target '${name}' is blocklisted and cannot be instantiated from config\nto prevent security vulnerabilities.`
      : `Target '${name}' is not in the instantiate target whitelist.\nAllow it from trusted code, where instantiate is called.`;
  throw new InstantiateError('target-not-allowed', message, { ...place, details: { target: name } });
}

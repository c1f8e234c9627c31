import { EngineError } from '../../api/errors.ts';
import { nearest } from '../../base/nearest.ts';
import { InstantiateError } from '../errors.ts';
import { builtinCandidates, locateBuiltin } from './builtinTargets.ts';
import { createHydraTargets } from './hydraTargets.ts';
import type { BuiltinOptions, LocatedTarget, Miss, NameCheck, TargetLocator } from './locatedTarget.ts';
import { locateNpm, type NpmOptions } from './npmTargets.ts';
import { locateInProject, type ProjectModules } from './projectTargets.ts';

export interface TargetLocatorOptions extends BuiltinOptions {
  readonly project?: ProjectModules | undefined;
  readonly npm?: NpmOptions | undefined;
}

/** Looks targets up: built-ins, then `tf.*`, then project modules, then trusted npm packages. */
export function createTargetLocator(options: TargetLocatorOptions): TargetLocator {
  const locate = async (target: string, check: NameCheck): Promise<LocatedTarget> => {
    const all = { ...options, builtins: { ...hydra, ...options.builtins } };
    const invalid = invalidTarget(target);
    if (invalid !== undefined) throw notFound(target, [], new EngineError('instantiate.invalid-name', invalid));
    const steps = [
      () => locateBuiltin(target, all, check),
      () => locateInProject(target, options.project, check),
      () => locateNpm(target, options.npm, check),
    ];
    const misses: Miss[] = [];
    for (const step of steps) {
      const attempt = await step();
      if (attempt.found !== undefined) return attempt.found;
      misses.push(...attempt.misses);
    }
    const names = [...builtinCandidates(options), ...misses.flatMap((miss) => miss.near)];
    const near = nearest(
      target,
      names.filter((name) => name !== target),
    );
    throw notFound(target, misses, undefined, near);
  };
  const hydra = createHydraTargets(locate);
  return { locate };
}

/** A dotted name must have no empty part; an npm name is everything before `#`. */
function invalidTarget(target: string): string | undefined {
  if (target.trim() === '') return 'A _target_ must not be empty.';
  const dotted = target.includes('#') ? target.slice(target.indexOf('#') + 1) : target.replace(/^@[^/]+\//, '');
  if (dotted.split('.').some((part) => part === '')) {
    return `Error loading '${target}': invalid dotstring. Relative names are not supported.`;
  }
  return undefined;
}

function notFound(target: string, misses: readonly Miss[], cause?: EngineError, near?: string): InstantiateError {
  const searched = misses.map((miss) => `  - ${miss.place}`);
  const lines = [`Error locating target '${target}'`];
  if (near !== undefined) lines.push(`Did you mean '${near}'?`);
  if (cause !== undefined) lines.push(cause.message);
  if (searched.length > 0) lines.push('Searched:', ...searched);
  return new InstantiateError('target-not-found', lines.join('\n'), {
    cause:
      cause ?? new EngineError('instantiate.import-failed', [`Error loading '${target}':`, ...searched].join('\n')),
    details: { target, searched: misses.map((miss) => miss.place), ...(near === undefined ? {} : { nearest: near }) },
  });
}

import { fileURLToPath } from 'node:url';
import { type ConfigNode, fromPlain } from '../../../engine/config/index.ts';
import {
  type ConfigAccess,
  createTargetLocator,
  type InstantiateOptions,
  instantiate,
  type TargetLocator,
} from '../../../engine/instantiate/index.ts';

export const FIXTURES = fileURLToPath(new URL('../../fixtures/instantiate/', import.meta.url));

/** A config without interpolations: every node stands for itself. */
export const literal: ConfigAccess = { resolve: (node) => node };

export function fixtureLocator(builtins: Readonly<Record<string, unknown>> = {}): TargetLocator {
  const importModule = (url: string): Promise<object> => import(/* @vite-ignore */ fileURLToPath(url));
  return createTargetLocator({
    builtins,
    tensorflow: { train: { adam: (lr?: number) => ({ lr }) }, zeros: (...args: unknown[]) => args },
    project: { sourceRoots: [`${FIXTURES}project`, `${FIXTURES}second`], importModule },
  });
}

export function build(
  config: ConfigNode | Readonly<Record<string, unknown>> | readonly unknown[],
  options: Partial<InstantiateOptions> = {},
): Promise<unknown> {
  const node = fromPlain(config);
  return instantiate(node, { locator: fixtureLocator(), access: literal, ...options });
}

/** The error that a promise ends with. */
export async function failureOf(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
  throw new Error('It was expected to fail');
}

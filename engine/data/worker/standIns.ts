import { registerHooks } from 'node:module';

export interface StandInNames {
  /** What '@tensorflow/tfjs' exports. */
  readonly tensorflow: readonly string[];
  /** What 'accelhydra-studio' exports beside workerEntry.ts. */
  readonly studio: readonly string[];
}

/** No such file exists. It looks like one, so that whoever resolves to it can handle it as a path, too. */
const tensorflowUrl = new URL('./tensorflow.stand-in.mjs', import.meta.url).href;
/** The module behind 'accelhydra-studio'. */
export const studioUrl = new URL('../../index.ts', import.meta.url).href;
/** What of it is real in a worker thread. */
export const workerEntryUrl = new URL('./workerEntry.ts', import.meta.url).href;

/**
 * Puts a stand-in in the place of every '@tensorflow/*' module that this thread imports from now on: TensorFlow's
 * binding does not survive two threads. Modules that only mention it load as usual; using it throws
 * `data.worker.tensorflow`, and nothing is an instance of its classes. Of 'accelhydra-studio' the data part is real.
 * Imports nothing itself, so that it can come first.
 */
export function registerStandIns(names: StandInNames): void {
  const sources = new Map([
    [tensorflowUrl, tensorflowSource(names.tensorflow)],
    [studioUrl, studioSource(names.studio)],
  ]);
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier.startsWith('@tensorflow/')
        ? { url: tensorflowUrl, format: 'module', shortCircuit: true }
        : next(specifier, context),
    load: (url, context, next) => {
      const source = sources.get(url);
      return source === undefined ? next(url, context) : { source, format: 'module', shortCircuit: true };
    },
  });
}

function tensorflowSource(names: readonly string[]): string {
  return [
    standIn('where there is no TensorFlow'),
    `export default standIn('tf');`,
    ...names.filter(isIdentifier).map((name) => `export const ${name} = standIn('tf.${name}');`),
  ].join('\n');
}

function studioSource(names: readonly string[]): string {
  return [
    standIn('which has the data part of accelhydra-studio only'),
    `export * from ${JSON.stringify(workerEntryUrl)};`,
    ...names.filter(isIdentifier).map((name) => `export const ${name} = standIn('${name}');`),
  ].join('\n');
}

/** A value of which everything can be asked, and nothing called: classes may extend it, modules may name it. */
function standIn(why: string): string {
  return `import { EngineError } from ${JSON.stringify(new URL('../../api/errors.ts', import.meta.url).href)};
const refuse = (name) => {
  throw new EngineError('data.worker.tensorflow', name + ' was used in a data loading worker thread, ${why}. Give typed arrays or host tensors ({data, shape}) there, or set num_workers: 0.', { name });
};
const standIn = (name) => new Proxy(function () {}, {
  get: (target, key) => typeof key === 'symbol' || key in target ? Reflect.get(target, key) : standIn(name + '.' + key),
  apply: () => refuse(name),
  construct: () => refuse('new ' + name),
});`;
}

function isIdentifier(name: string): boolean {
  return /^[A-Za-z_$][\w$]*$/.test(name) && name !== 'default';
}

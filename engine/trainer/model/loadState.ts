import type * as tf from '@tensorflow/tfjs';
import { EngineError } from '../../api/errors.ts';
import { sameShape } from '../../data/hostTensor.ts';

export interface LoadOptions {
  /** Default true: any difference is an error. */
  readonly strict?: boolean;
  /** Names that the state may lack although it is strict. */
  readonly optional?: ReadonlySet<string>;
  /** Taken off the front of the saved names, for checkpoints of a wrapper (`model.`). */
  readonly stripPrefix?: string;
}

export interface LoadReport {
  readonly loaded: readonly string[];
  /** In the model but not in the state. */
  readonly missing: readonly string[];
  /** In the state but not in the model. */
  readonly unexpected: readonly string[];
  readonly mismatched: readonly {
    readonly name: string;
    readonly model: readonly number[];
    readonly state: readonly number[];
  }[];
}

interface Shaped {
  readonly shape: readonly number[];
}

/** What copying by name and shape would do. Throws `model.state` where `options.strict` does not allow a difference. */
export function compareState(
  own: ReadonlyMap<string, Shaped>,
  state: ReadonlyMap<string, Shaped>,
  options: LoadOptions,
): LoadReport {
  const given = withoutPrefix(state, options.stripPrefix);
  const loaded: string[] = [];
  const mismatched: LoadReport['mismatched'][number][] = [];
  for (const [name, { shape }] of own) {
    const found = given.get(name);
    if (found === undefined) continue;
    if (sameShape(shape, found.shape)) loaded.push(name);
    else mismatched.push({ name, model: shape, state: found.shape });
  }
  const report = {
    loaded,
    missing: [...own.keys()].filter((name) => !given.has(name)),
    unexpected: [...given.keys()].filter((name) => !own.has(name)),
    mismatched,
  };
  const lacking = report.missing.filter((name) => options.optional?.has(name) !== true);
  if ((options.strict ?? true) && lacking.length + report.unexpected.length + mismatched.length > 0)
    throw refused({ ...report, missing: lacking });
  return report;
}

/** Copies equal names of equal shape; what happens to the others is `options.strict`'s to say. */
export function loadTensors(
  own: ReadonlyMap<string, tf.Variable>,
  state: ReadonlyMap<string, tf.Tensor>,
  options: LoadOptions,
): LoadReport {
  const report = compareState(own, state, options);
  const given = withoutPrefix(state, options.stripPrefix);
  for (const name of report.loaded) {
    const [variable, tensor] = [own.get(name), given.get(name)];
    if (variable !== undefined && tensor !== undefined) assignCopy(variable, tensor);
  }
  return report;
}

function assignCopy(variable: tf.Variable, tensor: tf.Tensor): void {
  const copy = tensor.dtype === variable.dtype ? tensor.clone() : tensor.cast(variable.dtype);
  variable.assign(copy);
  copy.dispose();
}

function withoutPrefix<T>(state: ReadonlyMap<string, T>, prefix = ''): ReadonlyMap<string, T> {
  return new Map(
    [...state].map(([name, value]) => [name.startsWith(prefix) ? name.slice(prefix.length) : name, value]),
  );
}

function refused(report: LoadReport): EngineError {
  const parts = [
    listed('missing in the state', report.missing),
    listed('unknown to the model', report.unexpected),
    listed(
      'of another shape',
      report.mismatched.map(({ name, model, state }) => `${name} (model [${model}], state [${state}])`),
    ),
  ].filter((part) => part !== '');
  return new EngineError('model.state', `The state belongs to another model: ${parts.join('; ')}.`, { ...report });
}

function listed(what: string, names: readonly string[]): string {
  if (names.length === 0) return '';
  const shown = names.slice(0, 8).join(', ');
  return `${what}: ${shown}${names.length > 8 ? `, … (${names.length} in all)` : ''}`;
}

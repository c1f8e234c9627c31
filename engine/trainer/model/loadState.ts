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

/** Copies equal names of equal shape; what happens to the others is `options.strict`'s to say. */
export function loadTensors(
  own: ReadonlyMap<string, tf.Variable>,
  state: ReadonlyMap<string, tf.Tensor>,
  options: LoadOptions,
): LoadReport {
  const given = new Map([...state].map(([name, tensor]) => [stripped(name, options.stripPrefix), tensor]));
  const mismatched: LoadReport['mismatched'][number][] = [];
  const fitting: [string, tf.Variable, tf.Tensor][] = [];
  for (const [name, variable] of own) {
    const tensor = given.get(name);
    if (tensor === undefined) continue;
    if (sameShape(variable.shape, tensor.shape)) fitting.push([name, variable, tensor]);
    else mismatched.push({ name, model: variable.shape, state: tensor.shape });
  }
  const report = {
    loaded: fitting.map(([name]) => name),
    missing: [...own.keys()].filter((name) => !given.has(name)),
    unexpected: [...given.keys()].filter((name) => !own.has(name)),
    mismatched,
  };
  const lacking = report.missing.filter((name) => options.optional?.has(name) !== true);
  if ((options.strict ?? true) && lacking.length + report.unexpected.length + mismatched.length > 0)
    throw refused({ ...report, missing: lacking });
  for (const [, variable, tensor] of fitting) assignCopy(variable, tensor);
  return report;
}

function assignCopy(variable: tf.Variable, tensor: tf.Tensor): void {
  const copy = tensor.dtype === variable.dtype ? tensor.clone() : tensor.cast(variable.dtype);
  variable.assign(copy);
  copy.dispose();
}

function stripped(name: string, prefix: string | undefined): string {
  return prefix !== undefined && name.startsWith(prefix) ? name.slice(prefix.length) : name;
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

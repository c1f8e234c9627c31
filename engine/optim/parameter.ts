import type * as tf from '@tensorflow/tfjs';
import { EngineError } from '../api/errors.ts';
import { didYouMean } from '../base/nearest.ts';

/** A model's weight under the name that checkpoints and gradients use, e.g. `conv1.weight`. */
export interface NamedParameter {
  readonly name: string;
  readonly variable: tf.Variable;
}

/**
 * Parameters that share hyper-parameters. Keys are PyTorch's, because schedulers, configs and checkpoints name them.
 * Schedulers change `lr` (and `momentum` or `betas`, where they cycle it) and keep their own marks here.
 */
export interface ParameterGroup {
  readonly params: readonly NamedParameter[];
  lr: number;
  momentum?: number | undefined;
  betas?: readonly [number, number] | undefined;
  weight_decay?: number | undefined;
  initial_lr?: number | undefined;
  max_lr?: number | undefined;
  min_lr?: number | undefined;
  max_momentum?: number | undefined;
  base_momentum?: number | undefined;
}

/** Which of the model's parameters a group takes: themselves, their names (`*` and `?` allowed), or a test. */
export type ParameterSelector =
  | readonly NamedParameter[]
  | readonly string[]
  | string
  | ((parameter: NamedParameter) => boolean);

/** A group as a person writes it: which parameters, and the options in which it differs from the rest. */
export interface ParameterGroupRequest {
  readonly params: ParameterSelector;
  readonly [option: string]: unknown;
}

export interface SelectedGroup {
  readonly params: readonly NamedParameter[];
  readonly options: Readonly<Record<string, unknown>>;
}

/**
 * Splits a model's parameters into groups: a parameter belongs to the first request that selects it; those that none
 * selects form the first group, with the optimizer's own options.
 * @throws EngineError `optim.parameters.empty` | `.duplicate` | `.no-match`
 */
export function selectGroups(
  parameters: readonly NamedParameter[],
  requests: readonly ParameterGroupRequest[],
): readonly SelectedGroup[] {
  checkParameters(parameters);
  const taken = new Set<string>();
  const groups = requests.map((request, index): SelectedGroup => {
    const { params, ...options } = request;
    const selected = parameters.filter((parameter) => selects(params, parameter));
    if (selected.length === 0) throw noMatch(params, index, parameters);
    const free = selected.filter((parameter) => !taken.has(parameter.name));
    for (const parameter of free) taken.add(parameter.name);
    return { params: free, options };
  });
  const rest = parameters.filter((parameter) => !taken.has(parameter.name));
  return rest.length > 0 ? [{ params: rest, options: {} }, ...groups] : groups;
}

function checkParameters(parameters: readonly NamedParameter[]): void {
  if (parameters.length === 0) {
    throw new EngineError(
      'optim.parameters.empty',
      'The optimizer got no parameters: the model has none to train.',
      {},
    );
  }
  const names = new Set<string>();
  for (const { name } of parameters) {
    if (names.has(name)) {
      throw new EngineError(
        'optim.parameters.duplicate',
        `Two parameters of the model are named '${name}'. Each needs a name of its own, or their states would be mixed up.`,
        { parameter: name },
      );
    }
    names.add(name);
  }
}

function selects(selector: ParameterSelector, parameter: NamedParameter): boolean {
  if (typeof selector === 'function') return selector(parameter);
  if (typeof selector === 'string') return matchesPattern(selector, parameter.name);
  return selector.some((item) =>
    typeof item === 'string' ? matchesPattern(item, parameter.name) : item.name === parameter.name,
  );
}

/** `*` stands for any characters, dots included, `?` for one; everything else for itself. */
export function matchesPattern(pattern: string, name: string): boolean {
  if (!/[*?]/.test(pattern)) return pattern === name;
  const source = pattern
    .replace(/[\\^$.|+()[\]{}]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`).test(name);
}

function noMatch(selector: ParameterSelector, index: number, parameters: readonly NamedParameter[]): EngineError {
  const names = parameters.map((parameter) => parameter.name);
  const texts = typeof selector === 'string' ? [selector] : typeof selector === 'function' ? [] : selector;
  const wanted = texts.map((item) => (typeof item === 'string' ? item : item.name));
  const hint = wanted[0] === undefined ? '' : didYouMean(wanted[0], names);
  const shown = names.slice(0, 20).join(', ') + (names.length > 20 ? `, … (${names.length} in all)` : '');
  return new EngineError(
    'optim.parameters.no-match',
    `param_groups[${index}] selects no parameter${wanted.length > 0 ? ` (${wanted.join(', ')})` : ''}.${hint} The model has: ${shown}.`,
    { group: index, wanted, names },
  );
}

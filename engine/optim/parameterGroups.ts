import { z } from 'zod';
import { EngineError } from '../api/errors.ts';
import { parseOptions } from './options.ts';
import { matchesPattern, type NamedParameter, type ParameterGroupRequest } from './parameter.ts';

/** Makes the groups once the model's parameters are known: what may stand in an optimizer's `param_groups`. */
export interface ParameterGroupBuilder {
  /** `lr` is the optimizer's own. */
  groups(parameters: readonly NamedParameter[], lr: number): readonly ParameterGroupRequest[];
}

export function isGroupBuilder(value: unknown): value is ParameterGroupBuilder {
  return typeof value === 'object' && value !== null && 'groups' in value && typeof value.groups === 'function';
}

const noDecaySchema = z.object({
  also: z.array(z.string()).default([]).describe('names of further parameters, * and ? allowed: ["*.pos_embedding"]'),
});

/**
 * No weight decay for biases and the weights of normalisation, that is for parameters of at most one dimension, as
 * timm's `param_groups_weight_decay` has it; all others keep the optimizer's.
 */
export class NoWeightDecay implements ParameterGroupBuilder {
  static readonly optionsSchema = noDecaySchema;
  readonly #also: readonly string[];

  constructor(options: z.input<typeof noDecaySchema> = {}) {
    this.#also = parseOptions(noDecaySchema, options, 'accelhydra.optim.NoWeightDecay').also;
  }

  groups(parameters: readonly NamedParameter[]): readonly ParameterGroupRequest[] {
    const params = parameters.filter((parameter) => isWithoutDecay(parameter, this.#also));
    return params.length === 0 ? [] : [{ params, weight_decay: 0 }];
  }
}

const layerwiseSchema = z.object({
  decay: z.number().gt(0).max(1).describe('factor of the learning rate from one layer to the one below it'),
  layers: z
    .array(z.union([z.string(), z.array(z.string())]))
    .nullish()
    .describe('the layers from input to output, each a name or a list of names (* and ? allowed); null finds them'),
  no_weight_decay: z.boolean().default(false).describe('no weight decay for biases and normalisation'),
  also: noDecaySchema.shape.also,
});

/**
 * A learning rate for each layer: the optimizer's for the last one, `decay` times that for the one below, and so on
 * (ULMFiT's discriminative fine-tuning; timm's `param_groups_layer_decay`).
 *
 * Layers are found by name, in the model's order: a parameter belongs to the module at the first number in its path
 * (`blocks.3.attention.weight` to `blocks.3`), or else to its first field (`head.weight` to `head`).
 */
export class LayerwiseLRDecay implements ParameterGroupBuilder {
  static readonly optionsSchema = layerwiseSchema;
  readonly #options: z.output<typeof layerwiseSchema>;

  constructor(options: z.input<typeof layerwiseSchema>) {
    this.#options = parseOptions(layerwiseSchema, options, 'accelhydra.optim.LayerwiseLRDecay');
  }

  /** @throws EngineError `optim.parameters.no-layer` for a parameter that no entry of `layers` names */
  groups(parameters: readonly NamedParameter[], lr: number): readonly ParameterGroupRequest[] {
    const { decay, no_weight_decay: spares, also } = this.#options;
    const layers = this.#layers(parameters);
    return layers.flatMap((members, index) => {
      const options = { lr: lr * decay ** (layers.length - 1 - index) };
      const free = members.filter((parameter) => spares && isWithoutDecay(parameter, also));
      const rest = members.filter((parameter) => !free.includes(parameter));
      return [
        ...(rest.length === 0 ? [] : [{ params: rest, ...options }]),
        ...(free.length === 0 ? [] : [{ params: free, ...options, weight_decay: 0 }]),
      ];
    });
  }

  #layers(parameters: readonly NamedParameter[]): NamedParameter[][] {
    const { layers } = this.#options;
    const found = new Map<string | number, NamedParameter[]>();
    if (layers != null) for (const index of layers.keys()) found.set(index, []);
    for (const parameter of parameters) {
      const key = layers == null ? layerOf(parameter.name) : namedLayer(parameter.name, layers);
      found.set(key, [...(found.get(key) ?? []), parameter]);
    }
    return [...found.values()];
  }
}

function layerOf(name: string): string {
  const path = name.split('.');
  const number = path.findIndex((part) => /^\d+$/.test(part));
  return number > 0 ? path.slice(0, number + 1).join('.') : (path[0] ?? '');
}

function namedLayer(name: string, layers: readonly (string | readonly string[])[]): number {
  const index = layers.findIndex((patterns) =>
    (typeof patterns === 'string' ? [patterns] : patterns).some((pattern) => matchesPattern(pattern, name)),
  );
  if (index >= 0) return index;
  throw new EngineError(
    'optim.parameters.no-layer',
    `accelhydra.optim.LayerwiseLRDecay: no entry of 'layers' names the parameter '${name}'. Add it to one, or leave 'layers' out.`,
    { parameter: name },
  );
}

function isWithoutDecay({ name, variable }: NamedParameter, also: readonly string[]): boolean {
  return variable.rank <= 1 || also.some((pattern) => matchesPattern(pattern, name));
}

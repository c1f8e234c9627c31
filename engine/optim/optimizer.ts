import * as tf from '@tensorflow/tfjs';
import type { z } from 'zod';
import { EngineError } from '../api/errors.ts';
import { FusedSlots, type OptimizerResource } from './fusedSlots.ts';
import {
  checkShape,
  decayScalars,
  decouples,
  effectiveGradient,
  type Gradients,
  type GroupOptions,
  noGradient,
  number,
  toScalars,
} from './gradients.ts';
import { nativeBackend } from './nativeOps.ts';
import { checkScalars, type OptimizerScalars, type OptimizerState, type SavedOptimizer } from './optimizerState.ts';
import { parseOptions, refuseOptions } from './options.ts';
import { type NamedParameter, type ParameterGroup, type ParameterGroupRequest, selectGroups } from './parameter.ts';
import { isGroupBuilder } from './parameterGroups.ts';
import { slotKey, VariableSlots } from './slotStore.ts';
import type { HostState, StateSlot, UpdateRule } from './updateRule.ts';

/** The updates of one step that share their numbers: normally one per group. */
export interface PlannedUpdate {
  readonly group: number;
  readonly params: readonly NamedParameter[];
  /** What is counted for the parameters once the update is done. */
  readonly host: HostState;
  /** Everything that differs from step to step. A recorded step takes these as inputs. */
  readonly scalars: Readonly<Record<string, number>>;
}

/** Parameters whose numbers on the host are the same. */
interface HostGroup {
  readonly host: HostState;
  readonly params: NamedParameter[];
}

const freshHost: HostState = { step: 0 };

function hostGroup(groups: HostGroup[], host: HostState): HostGroup {
  let found = groups.find((group) => sameHost(group.host, host));
  if (found === undefined) {
    found = { host, params: [] };
    groups.push(found);
  }
  return found;
}

/** Both are of one rule, and so have the same counters. */
function sameHost(a: HostState, b: HostState): boolean {
  for (const counter in a) if (a[counter] !== b[counter]) return false;
  return true;
}

/** What makes one optimizer: its options, how they become a group, and its arithmetic. */
export interface OptimizerDefinition<G extends ParameterGroup> {
  readonly name: string;
  readonly schema: z.ZodObject;
  readonly rule: UpdateRule<G>;
  /** Checks raw options and joins them with parameters to a group. */
  makeGroup(options: unknown, params: readonly NamedParameter[]): G;
}

export function defineOptimizer<S extends z.ZodObject, G extends ParameterGroup>(
  name: string,
  schema: S,
  makeGroup: (options: z.output<S>, params: readonly NamedParameter[]) => G,
  rule: UpdateRule<G>,
): OptimizerDefinition<G> {
  return {
    name,
    schema,
    rule,
    makeGroup: (options, params) => makeGroup(parseOptions(schema, options, `accelhydra.optim.${name}`), params),
  };
}

/**
 * Base of all optimizers: parameter groups, the step, state. Results follow PyTorch's optimizers of the same name.
 * A parameter without a gradient in a step is left alone, its counters too.
 */
export abstract class Optimizer<G extends ParameterGroup & GroupOptions = ParameterGroup & GroupOptions> {
  readonly name: string;
  readonly paramGroups: readonly G[];
  readonly #rule: UpdateRule<G>;
  readonly #host = new Map<string, HostState>();
  readonly #names: ReadonlySet<string>;
  #store: VariableSlots | FusedSlots | undefined;

  /** @throws EngineError `optim.option.*`, `optim.parameters.*` */
  protected constructor(parameters: readonly NamedParameter[], options: unknown, definition: OptimizerDefinition<G>) {
    const target = `accelhydra.optim.${definition.name}`;
    const checked = parseOptions(definition.schema, options, target);
    const { param_groups: _groups, ...common } = { param_groups: undefined, ...asRecord(options) };
    this.name = definition.name;
    this.#rule = definition.rule;
    this.paramGroups = selectGroups(parameters, groupRequests(checked, parameters)).map((selected) =>
      definition.makeGroup({ ...common, ...selected.options }, selected.params),
    );
    this.#names = new Set(parameters.map((parameter) => parameter.name));
    for (const { name, variable } of parameters) {
      if (variable.dtype !== 'float32') {
        refuseOptions(target, `parameter '${name}' is ${variable.dtype}; only float32 parameters can be trained.`, {
          name,
        });
      }
    }
  }

  /**
   * One update of all parameters that have a gradient. Gradients stay the caller's to dispose.
   * Nothing is read back from the device.
   * @throws EngineError `optim.gradient.none` | `optim.gradient.shape`
   */
  step(gradients: Gradients): void {
    const plan = this.planStep(gradients);
    this.countStep(plan);
    tf.tidy(() => {
      const scalars = plan.map((update) => toScalars(update.scalars));
      this.applyPlan(plan, gradients, scalars);
    });
  }

  /** What the next step will compute with. Changes nothing: `countStep` and `applyPlan` follow; `step` does all three. */
  planStep(gradients: Gradients): readonly PlannedUpdate[] {
    const plan: PlannedUpdate[] = [];
    for (const [index, group] of this.paramGroups.entries()) {
      const byHost: HostGroup[] = [];
      // parameters that have always been updated together share one state: nothing to work out for the next of them
      let latest: HostGroup | undefined;
      let before: HostState | undefined;
      for (const parameter of group.params) {
        const gradient = gradients.get(parameter.name);
        if (gradient === undefined) continue;
        checkShape(parameter, gradient);
        const own = this.#host.get(parameter.name) ?? freshHost;
        if (latest === undefined || own !== before) {
          before = own;
          latest = hostGroup(byHost, this.#advance(group, own));
        }
        latest.params.push(parameter);
      }
      for (const { host, params } of byHost) {
        plan.push({
          group: index,
          params,
          host,
          scalars: { ...decayScalars(group), ...this.#rule.scalars(group, host, this.isFused) },
        });
      }
    }
    if (plan.length === 0) throw noGradient(gradients, this.#names);
    return plan;
  }

  /** Counts a planned step. */
  countStep(plan: readonly PlannedUpdate[]): void {
    for (const { host, params } of plan) for (const { name } of params) this.#host.set(name, host);
  }

  /** The tensor half of a step. `scalars[i]` holds the numbers of `plan[i]` as tensors. Call it inside `tf.tidy`. */
  applyPlan(
    plan: readonly PlannedUpdate[],
    gradients: Gradients,
    scalars: readonly Readonly<Record<string, tf.Scalar>>[],
  ): void {
    const store = this.#slots();
    for (const [index, update] of plan.entries()) {
      const group = this.paramGroups[update.group];
      const numbers = scalars[index];
      if (group === undefined || numbers === undefined)
        throw new Error('Internal error: plan and scalars do not match');
      const slots = this.#rule.slots(group);
      for (const parameter of update.params) {
        const gradient = gradients.get(parameter.name);
        if (gradient === undefined) continue;
        store.ensure(parameter, slots);
        if (store instanceof FusedSlots) this.#applyFused(store, group, parameter, gradient, numbers);
        else this.#applyComposed(store, group, parameter, gradient, numbers);
      }
    }
  }

  /**
   * Makes the state of the named parameters where it is missing, and gives TensorFlow's own variables behind it; none
   * where updates are composed: their state is in tf.Variables.
   */
  prepareState(names: ReadonlySet<string>): readonly OptimizerResource[] {
    const store = this.#slots();
    return this.paramGroups.flatMap((group) => {
      const slots = this.#rule.slots(group);
      return group.params
        .filter(({ name }) => names.has(name))
        .flatMap((parameter) => {
          store.ensure(parameter, slots);
          return store instanceof FusedSlots ? store.resources(parameter, slots) : [];
        });
    });
  }

  /** Everything needed to go on exactly from here. The tensors are the caller's to dispose. */
  stateDict(): OptimizerState {
    const store = this.#slots();
    const tensors = new Map<string, tf.Tensor>();
    for (const group of this.paramGroups) {
      for (const { name } of group.params) {
        for (const slot of this.#rule.slots(group)) {
          const value = store.read(name, slot.name);
          if (value !== undefined) tensors.set(slotKey(name, slot.name), tf.keep(value));
        }
      }
    }
    return {
      tensors,
      scalars: {
        optimizer: this.name,
        param_groups: this.paramGroups.map((group) => ({
          ...withoutMachineHints(group),
          params: group.params.map((parameter) => parameter.name),
        })),
        state: Object.fromEntries(this.#host),
      },
    };
  }

  /**
   * Whether `loadStateDict` would take a state; of its tensors only the shapes are looked at.
   * @throws EngineError `optim.state.*`
   */
  checkStateDict(state: SavedOptimizer<{ readonly shape: readonly number[] }>): OptimizerScalars {
    const scalars = checkScalars(state.scalars, this.name, this.paramGroups);
    for (const group of this.paramGroups) {
      for (const parameter of group.params) {
        if (scalars.state[parameter.name] === undefined) continue;
        for (const slot of this.#rule.slots(group)) checkTensor(state.tensors, parameter, slot.name);
      }
    }
    return scalars;
  }

  /**
   * Puts back what `stateDict` gave; tensors are copied, hyper-parameters (lr among them) taken over. Parameters that had
   * no state then have none again.
   * @throws EngineError `optim.state.*`; nothing is changed then
   */
  loadStateDict(state: SavedOptimizer<tf.Tensor>): void {
    const scalars = this.checkStateDict(state);
    tf.tidy(() => {
      for (const group of this.paramGroups) {
        for (const parameter of group.params) this.#putState(state.tensors, parameter, this.#rule.slots(group));
      }
    });
    this.#host.clear();
    for (const [name, { step, ...rest }] of Object.entries(scalars.state)) {
      const numbers = Object.entries(rest).filter((entry): entry is [string, number] => typeof entry[1] === 'number');
      this.#host.set(name, { step, ...Object.fromEntries(numbers) });
    }
    for (const [index, group] of this.paramGroups.entries()) {
      const { params: _names, ...settings } = scalars.param_groups[index] ?? { params: [] };
      Object.assign(group, withoutMachineHints(settings));
    }
  }

  #putState(
    tensors: SavedOptimizer<tf.Tensor>['tensors'],
    parameter: NamedParameter,
    slots: readonly StateSlot[],
  ): void {
    const store = this.#slots();
    for (const { name, fill } of slots) {
      const saved = tensors.get(slotKey(parameter.name, name));
      if (saved !== undefined) store.write(parameter, name, saved);
      // one that has been updated since
      else if (store.read(parameter.name, name) !== undefined)
        store.write(parameter, name, tf.fill(parameter.variable.shape, fill, 'float32'));
    }
  }

  /** Frees the optimizer's state. Parameters are the model's and stay. */
  dispose(): void {
    this.#store?.dispose();
    this.#store = undefined;
    this.#host.clear();
  }

  /** Whether TensorFlow's fused operations do the updates; decided at the first use. */
  get isFused(): boolean {
    return this.#slots() instanceof FusedSlots;
  }

  #slots(): VariableSlots | FusedSlots {
    this.#store ??= this.#chooseStore();
    return this.#store;
  }

  #chooseStore(): VariableSlots | FusedSlots {
    const wish = this.paramGroups[0]?.fused;
    if (wish === false) return new VariableSlots();
    const possible = this.paramGroups.every((group) => this.#rule.fused?.(group) !== undefined);
    const native = nativeBackend();
    if (native !== undefined && possible) return new FusedSlots(native);
    if (wish === true) {
      const reason =
        native === undefined
          ? `the '${tf.getBackend()}' backend has no fused operations`
          : 'TensorFlow has no fused operation for these options';
      refuseOptions(`accelhydra.optim.${this.name}`, `fused is true, but ${reason}. Leave it out to choose by itself.`);
    }
    return new VariableSlots();
  }

  #advance(group: G, before: HostState): HostState {
    return this.#rule.advance?.(group, before) ?? { ...before, step: before.step + 1 };
  }

  #applyComposed(
    store: VariableSlots,
    group: G,
    { name, variable }: NamedParameter,
    gradient: tf.Tensor,
    scalars: Readonly<Record<string, tf.Scalar>>,
  ): void {
    tf.tidy(() => {
      const slots = this.#rule.slots(group).map((slot) => slot.name);
      const outputs = this.#rule.apply(group, {
        parameter: decouples(group) ? variable.mul(number(scalars, 'keep')) : variable,
        gradient: effectiveGradient(group, variable, gradient, scalars),
        slots: Object.fromEntries(slots.map((slot) => [slot, store.variable(name, slot)])),
        scalars,
      });
      variable.assign(outputs.parameter);
      for (const [slot, value] of Object.entries(outputs.slots)) store.variable(name, slot).assign(value);
    });
  }

  #applyFused(
    store: FusedSlots,
    group: G,
    parameter: NamedParameter,
    gradient: tf.Tensor,
    scalars: Readonly<Record<string, tf.Scalar>>,
  ): void {
    tf.tidy(() => {
      const operations = this.#rule.fused?.(group) ?? [];
      const decay = { name: 'ResourceApplyGradientDescent', inputs: ['parameter', 'lr_weight_decay', 'value'] };
      const effective = effectiveGradient(group, parameter.variable, gradient, scalars);
      store.update(parameter, decouples(group) ? [decay, ...operations] : operations, effective, scalars);
    });
  }
}

/** How the step is executed is this machine's choice and not part of the state. */
function withoutMachineHints(group: object): Record<string, unknown> {
  const hints = ['fused', 'foreach', 'capturable', 'differentiable'];
  return Object.fromEntries(
    Object.entries(group).filter(([key, value]) => !hints.includes(key) && value !== undefined),
  );
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function groupRequests(
  { param_groups: given, lr }: { readonly param_groups?: unknown; readonly lr?: unknown },
  parameters: readonly NamedParameter[],
): readonly ParameterGroupRequest[] {
  if (Array.isArray(given)) return given;
  return isGroupBuilder(given) ? given.groups(parameters, Number(lr)) : [];
}

function checkTensor(
  tensors: ReadonlyMap<string, { readonly shape: readonly number[] }>,
  { name, variable }: NamedParameter,
  slot: string,
): void {
  const value = tensors.get(slotKey(name, slot));
  if (value !== undefined && tf.util.arraysEqual([...value.shape], variable.shape)) return;
  const found =
    value === undefined
      ? 'is missing, which the optimizer needs with its options'
      : `has shape [${value.shape}] instead of [${variable.shape}]`;
  throw new EngineError('optim.state.invalid', `In the saved optimizer state '${slotKey(name, slot)}' ${found}.`, {
    tensor: slotKey(name, slot),
    expected: variable.shape,
    found: value?.shape,
  });
}

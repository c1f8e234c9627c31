/** What an override does: `a=`, `+a=`, `++a=`, `~a`, or `a=extend_list(…)`. */
export type OverrideType = 'CHANGE' | 'ADD' | 'FORCE_ADD' | 'DEL' | 'EXTEND_LIST';

export type OverrideValueType =
  | 'ELEMENT'
  | 'CHOICE_SWEEP'
  | 'GLOB_CHOICE_SWEEP'
  | 'SIMPLE_CHOICE_SWEEP'
  | 'RANGE_SWEEP'
  | 'INTERVAL_SWEEP';

/** A piece of the override's text, end exclusive, in UTF-16 units. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface NullValue {
  readonly type: 'null';
}

export interface BoolValue {
  readonly type: 'bool';
  readonly value: boolean;
}

/** A bigint when it does not fit 2^53-1. */
export interface IntValue {
  readonly type: 'int';
  readonly value: number | bigint;
}

export interface FloatValue {
  readonly type: 'float';
  readonly value: number;
}

/** `quote` is there when the text was quoted; a quoted string is never taken for another type when printed. */
export interface StringValue {
  readonly type: 'str';
  readonly value: string;
  readonly quote?: '"' | "'";
}

export interface ListValue {
  readonly type: 'list';
  readonly items: readonly OverrideValue[];
}

/** Keys are unique by Python's equality (1, 1.0 and true are one key); the last value wins at the first place. */
export interface DictValue {
  readonly type: 'dict';
  readonly entries: readonly (readonly [ScalarOverrideValue, OverrideValue])[];
}

export interface ChoiceSweep {
  readonly type: 'choice_sweep';
  readonly items: readonly OverrideValue[];
  /** `a,b` instead of `choice(a,b)`. */
  readonly simple: boolean;
  readonly shuffle: boolean;
  readonly tags: readonly string[];
}

export interface RangeSweep {
  readonly type: 'range_sweep';
  readonly start: NumberValue;
  readonly stop: NumberValue;
  readonly step: NumberValue;
  readonly shuffle: boolean;
  readonly tags: readonly string[];
}

export interface IntervalSweep {
  readonly type: 'interval_sweep';
  readonly start: OverrideValue;
  readonly end: OverrideValue;
  readonly tags: readonly string[];
}

export interface GlobSweep {
  readonly type: 'glob';
  readonly include: readonly OverrideValue[];
  readonly exclude: readonly OverrideValue[];
}

interface ListExtension {
  readonly type: 'extend_list';
  readonly items: readonly OverrideValue[];
}

/** Python counts booleans as integers, so a range may start at `true`. */
export type NumberValue = IntValue | FloatValue | BoolValue;
export type ScalarOverrideValue = NullValue | BoolValue | IntValue | FloatValue | StringValue;
export type SweepValue = ChoiceSweep | RangeSweep | IntervalSweep;
export type OverrideValue = ScalarOverrideValue | ListValue | DictValue | SweepValue | GlobSweep | ListExtension;

/** One override of the command line, parsed. Frozen. */
export interface Override {
  readonly type: OverrideType;
  readonly keyOrGroup: string;
  /** What stands after `@`; an empty text (`group@=x`) is not the same as none. */
  readonly package: string | undefined;
  /** `undefined` for a deletion without `=`. */
  readonly value: OverrideValue | undefined;
  readonly valueType: OverrideValueType | undefined;
  /** The override as it was written. */
  readonly text: string;
  /** Its place in the list of overrides, from 0. */
  readonly index: number;
  readonly keySpan: Span;
  readonly valueSpan: Span | undefined;
}

export function isSweepOverride(override: Override): boolean {
  return override.valueType !== undefined && override.valueType !== 'ELEMENT';
}

/** True for overrides of Hydra's own node or groups. */
export function isHydraOverride(override: Override): boolean {
  return override.keyOrGroup.startsWith('hydra.') || override.keyOrGroup.startsWith('hydra/');
}

/** Prefix, key and package, as they were written: `+model/head@teacher`. */
export function keyElement(override: Override): string {
  const prefix =
    override.type === 'DEL' ? '~' : override.type === 'ADD' ? '+' : override.type === 'FORCE_ADD' ? '++' : '';
  return `${prefix}${keyWithPackage(override)}`;
}

/** Key and package without the prefix. */
export function keyWithPackage(override: Override): string {
  return override.package === undefined ? override.keyOrGroup : `${override.keyOrGroup}@${override.package}`;
}

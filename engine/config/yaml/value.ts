import { BytesKey, FloatKey, type KeyIdentity, keyIdentity } from '../node/key.ts';
import type { ScalarType, ScalarValue } from '../node/node.ts';
import type { Origin } from '../node/origin.ts';

/** What a YAML text says, before it is a config: mappings may also have null keys, and there are sets. */
export type YamlValue = YamlScalarValue | YamlListValue | YamlDictValue | YamlSetValue | YamlOtherValue;

export interface YamlScalarValue {
  readonly kind: 'scalar';
  readonly type: ScalarType;
  readonly value: ScalarValue;
  readonly origin: Origin;
}

export interface YamlListValue {
  readonly kind: 'list';
  readonly items: YamlValue[];
  readonly origin: Origin;
}

export interface YamlDictEntry {
  readonly key: YamlScalarValue | YamlOtherValue;
  value: YamlValue;
  /** Where the key of the winning entry stands. */
  keyOrigin: Origin;
}

export interface YamlDictValue {
  readonly kind: 'dict';
  readonly entries: Map<KeyIdentity, YamlDictEntry>;
  readonly origin: Origin;
}

export interface YamlSetValue {
  readonly kind: 'set';
  readonly entries: Map<KeyIdentity, YamlDictEntry>;
  readonly origin: Origin;
}

/** A value of a type that configs do not have, such as a date. */
export interface YamlOtherValue {
  readonly kind: 'other';
  readonly className: string;
  readonly text: string;
  readonly origin: Origin;
}

/** Two YAML keys are one key exactly when Python says so. */
export function yamlKeyIdentity(key: YamlScalarValue | YamlOtherValue): KeyIdentity {
  if (key.kind === 'other') return Symbol.for(`${key.className}:${key.text}`);
  const { type, value } = key;
  if (value instanceof Uint8Array) return keyIdentity(new BytesKey(value));
  return keyIdentity(type === 'float' && typeof value === 'number' ? new FloatKey(value) : value);
}

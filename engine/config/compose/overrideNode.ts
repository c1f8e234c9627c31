import { ConfigError } from '../errors.ts';
import { pythonTypeName } from '../grammar/casts.ts';
import type { Override, OverrideValue, ScalarOverrideValue } from '../grammar/types.ts';
import { type ConfigKey, FloatKey } from '../node/key.ts';
import { type ConfigNode, DictNode, ListNode, ScalarNode } from '../node/node.ts';
import type { OverrideOrigin } from '../node/origin.ts';

/** Where the override's value stands; the key for an override without a value. */
function valueOrigin(override: Override): OverrideOrigin {
  const { index, text, keySpan, valueSpan } = override;
  const { start, end } = valueSpan ?? keySpan;
  return { kind: 'override', index, text, start, end };
}

/** The override's value as a config node with its origin on every part. Throws a ConfigError for what configs cannot hold. */
export function overrideValueNode(override: Override): ConfigNode {
  return toNode(override.value ?? { type: 'null' }, valueOrigin(override));
}

function toNode(value: OverrideValue, origin: OverrideOrigin): ConfigNode {
  switch (value.type) {
    case 'null':
      return new ScalarNode('null', null, origin);
    case 'bool':
    case 'int':
    case 'float':
    case 'str':
      return new ScalarNode(value.type, value.value, origin);
    case 'list':
      return new ListNode(
        value.items.map((item) => toNode(item, origin)),
        origin,
      );
    case 'dict': {
      const dict = new DictNode([], origin);
      for (const [key, item] of value.entries) {
        const child = toNode(item, origin);
        child.keyOrigin = origin;
        dict.set(toKey(key), child);
      }
      return dict;
    }
    default:
      // Hydra hands a nested sweep to OmegaConf, which takes it for a dataclass it cannot read.
      throw new ConfigError('ValidationError', `Unexpected type annotation: Set[str] (${pythonTypeName(value)})`, {
        origin,
      });
  }
}

function toKey(key: ScalarOverrideValue): ConfigKey {
  switch (key.type) {
    case 'null':
      throw new ConfigError('KeyValidationError', "Incompatible key type 'NoneType'");
    case 'float':
      return new FloatKey(key.value);
    default:
      return key.value;
  }
}

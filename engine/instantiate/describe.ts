import { BytesKey, type ConfigKey, type ConfigNode } from '../config/index.ts';
import { isConfigNode } from './callSite.ts';
import { keyText } from './configAccess.ts';

const SCALAR_TYPES = {
  null: 'NoneType',
  bool: 'bool',
  int: 'int',
  float: 'float',
  str: 'str',
  bytes: 'bytes',
} as const;

/** The name that Hydra's messages give to a value's type; YAML's integers and floats are told apart. */
export function describeType(value: unknown): string {
  if (isConfigNode(value)) {
    if (value.kind === 'scalar') return SCALAR_TYPES[value.type];
    return value.kind === 'list' ? 'ListConfig' : 'DictConfig';
  }
  if (value === null || value === undefined) return 'NoneType';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float';
  if (typeof value === 'string') return 'str';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'object' ? value.constructor.name : typeof value;
}

/** The value as Hydra's messages print it. */
export function describeValue(value: unknown): string {
  if (!isConfigNode(value)) return value === null || value === undefined ? 'None' : String(value);
  return value.kind === 'scalar' && value.type === 'str' ? String(value.value) : describeNested(value);
}

function describeNested(node: ConfigNode): string {
  if (node.kind === 'list') return `[${node.items.map(describeNested).join(', ')}]`;
  if (node.kind === 'dict') {
    return `{${[...node.entries()].map(([key, child]) => `${describeKey(key)}: ${describeNested(child)}`).join(', ')}}`;
  }
  switch (node.type) {
    case 'null':
      return 'None';
    case 'bool':
      return node.value === true ? 'True' : 'False';
    case 'str':
      return `'${String(node.value)}'`;
    default:
      return String(node.value);
  }
}

function describeKey(key: ConfigKey): string {
  if (typeof key === 'string') return `'${key}'`;
  if (typeof key === 'boolean') return key ? 'True' : 'False';
  return key instanceof BytesKey ? `b'${keyText(key)}'` : keyText(key);
}

import { pythonFloat, pythonRepr } from '../grammar/pythonText.ts';
import { type ConfigKey, FloatKey, keyType } from '../node/key.ts';
import type { ConfigNode } from '../node/node.ts';

/** Python's `repr` of a config value, as Hydra's messages show it. */
export function pythonNodeRepr(node: ConfigNode): string {
  switch (node.kind) {
    case 'list':
      return `[${node.items.map(pythonNodeRepr).join(', ')}]`;
    case 'dict':
      return `{${[...node.entries()].map(([key, child]) => `${keyRepr(key)}: ${pythonNodeRepr(child)}`).join(', ')}}`;
    default:
      return scalarRepr(node.value, node.type === 'float');
  }
}

/** Python's `str`: a string stands as it is. */
export function pythonNodeText(node: ConfigNode): string {
  return node.kind === 'scalar' && typeof node.value === 'string' ? node.value : pythonNodeRepr(node);
}

/** Python's `str` of a choice: null is `None`, a list its repr. */
export function pythonChoiceText(choice: string | null | readonly string[]): string {
  if (choice === null) return 'None';
  return typeof choice === 'string' ? choice : `[${choice.map(pythonRepr).join(', ')}]`;
}

function keyRepr(key: ConfigKey): string {
  if (key instanceof FloatKey) return pythonFloat(key.value);
  return keyType(key) === 'bytes' ? "b'…'" : scalarRepr(key as string | boolean | number | bigint, false);
}

function scalarRepr(value: null | boolean | number | bigint | string | Uint8Array, isFloat: boolean): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string') return pythonRepr(value);
  if (value instanceof Uint8Array) return "b'…'";
  return isFloat && typeof value === 'number' ? pythonFloat(value) : String(value);
}

/** Python's class name of a value inside a config. */
export function pythonTypeOf(node: ConfigNode): string {
  if (node.kind === 'list') return 'list';
  if (node.kind === 'dict') return 'dict';
  return node.type === 'null' ? 'NoneType' : node.type;
}

import { pythonStr, pythonTypeOf } from '../config/python/repr.ts';
import { isConfigNode } from './callSite.ts';

/** The name that Hydra's messages give to a value's type; YAML's integers and floats are told apart. */
export function describeType(value: unknown): string {
  if (isConfigNode(value)) return pythonTypeOf(value);
  if (value === null || value === undefined) return 'NoneType';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float';
  if (typeof value === 'string') return 'str';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'object' ? value.constructor.name : typeof value;
}

/** The value as Hydra's messages print it. */
export function describeValue(value: unknown): string {
  if (isConfigNode(value)) return pythonStr(value);
  return value === null || value === undefined ? 'None' : String(value);
}

import { BytesKey, type ConfigKey, type ConfigNode, FloatKey } from '../config/index.ts';

/** How instantiation reads interpolations; the config engine with its resolvers stands behind it. */
export interface ConfigAccess {
  /**
   * The node that this one stands for: itself, or what its interpolation gives. A missing value ('???') comes back as it
   * is. Throws ConfigError (InterpolationKeyError and its kin).
   */
  resolve(node: ConfigNode): ConfigNode;
}

/** The dotted path from the root: `model.layers[1].size`; '' for the root. */
export function fullKeyOf(node: ConfigNode): string {
  let text = '';
  for (let current: ConfigNode = node; current.parent !== undefined; current = current.parent) {
    const part = current.parent.kind === 'list' ? `[${String(current.key)}]` : keyText(current.key ?? '');
    const joint = text === '' || text.startsWith('[') ? '' : '.';
    text = `${part}${joint}${text}`;
  }
  return text;
}

/** A key as it stands in a dotted path. */
export function keyText(key: ConfigKey): string {
  if (key instanceof BytesKey) return Buffer.from(key.bytes).toString('latin1');
  return String(key instanceof FloatKey ? key.value : key);
}

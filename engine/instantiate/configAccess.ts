import type { ConfigKey, ConfigNode } from '../config/index.ts';

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

function keyText(key: ConfigKey): string {
  if (typeof key !== 'object') return String(key);
  return 'bytes' in key ? Buffer.from(key.bytes).toString('latin1') : String(key.value);
}

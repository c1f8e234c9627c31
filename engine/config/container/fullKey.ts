import { pythonFloat } from '../grammar/pythonText.ts';
import { BytesKey, type ConfigKey, FloatKey } from '../node/key.ts';
import type { ConfigNode, ContainerNode } from '../node/node.ts';
import { pythonBytesRepr } from '../python/repr.ts';

/** A key as Python prints it: `True`, `1.0`, `b'x'`. */
export function keyText(key: ConfigKey): string {
  if (typeof key === 'string') return key;
  if (key === null) return 'None';
  if (typeof key === 'boolean') return key ? 'True' : 'False';
  if (key instanceof FloatKey) return pythonFloat(key.value);
  return key instanceof BytesKey ? pythonBytesRepr(key.bytes) : key.toString();
}

/** The path of a node from the root, such as `a.b[0].c`; empty for the root. */
export function fullKeyOf(node: ConfigNode): string {
  return node.parent === undefined || node.key === undefined ? '' : childFullKey(node.parent, node.key);
}

/** The path that a key has or would have in a container; undefined means the container's own. */
export function childFullKey(container: ContainerNode, key: ConfigKey | undefined): string {
  let path = '';
  let isListBelow = false;
  const prepend = (parent: ContainerNode, own: ConfigKey) => {
    const text = keyText(own);
    const joint = path === '' || isListBelow ? '' : '.';
    path = parent.kind === 'list' ? `[${text}]${joint}${path}` : `${text}${joint}${path}`;
    isListBelow = parent.kind === 'list';
  };
  if (key !== undefined && key !== '') prepend(container, key);
  for (let node = container; node.parent !== undefined && node.key !== undefined; node = node.parent) {
    prepend(node.parent, node.key);
  }
  return path;
}

import { fullKeyOf, keyText } from '../container/fullKey.ts';
import { ConfigError } from '../errors.ts';
import { pythonRepr } from '../grammar/pythonText.ts';
import { parseInterpolation } from '../interpolation/parser.ts';
import { nullNode, strNode } from '../node/build.ts';
import { BytesKey, type ConfigKey, FloatKey } from '../node/key.ts';
import { type ConfigNode, type DictNode, ListNode, ScalarNode } from '../node/node.ts';
import { pythonStr, pythonTypeOf } from '../python/repr.ts';
import { configFromString } from '../yaml/load.ts';
import { checkArguments, typeError } from './arguments.ts';
import type { ResolverCall, ResolverRegistry } from './registry.ts';
import { type Dereferenced, isMissingValue, nodeFromPlain, type Value, valueBehind } from './value.ts';

/** Adds OmegaConf's own resolvers: `oc.env`, `oc.select`, `oc.decode`, `oc.create`, `oc.deprecated`, `oc.dict.*`. */
export function registerBuiltinResolvers(registry: ResolverRegistry): void {
  registry.registerTyped('oc.env', resolveEnv);
  registry.registerTyped('oc.select', resolveSelect);
  registry.registerTyped('oc.decode', resolveDecode);
  registry.registerTyped('oc.create', resolveCreate);
  registry.registerTyped('oc.deprecated', resolveDeprecated);
  registry.registerTyped('oc.dict.keys', resolveDictKeys);
  registry.registerTyped('oc.dict.values', resolveDictValues);
}

function argument(args: readonly Value[], index: number): Value {
  const value = args[index];
  if (value === undefined) throw new Error('Internal error: an unchecked resolver argument');
  return value;
}

function stringOf(value: Value): string | undefined {
  return value.kind === 'scalar' && typeof value.value === 'string' ? value.value : undefined;
}

function isNull(value: Value): boolean {
  return value.kind === 'scalar' && value.isNull;
}

function resolveEnv(args: readonly Value[], { env }: ResolverCall): Value {
  checkArguments(args, { name: 'env', parameters: ['key', 'default'], required: 1 });
  const key = stringOf(argument(args, 0));
  if (key === undefined) throw typeError(`str expected, not ${pythonTypeOf(argument(args, 0))}`);
  const value = env[key];
  if (value !== undefined) return strNode(value);
  const fallback = args[1];
  if (fallback === undefined) {
    throw new ConfigError('KeyError', pythonRepr(`Environment variable '${key}' not found`), {
      details: { variable: key },
    });
  }
  return isNull(fallback) ? fallback : strNode(pythonStr(fallback));
}

/** OmegaConf asks the key whether it starts with a dot; a config takes the question for one of its own keys. */
function notText(type: string): ConfigError {
  if (type === 'DictConfig') return new ConfigError('ConfigAttributeError', 'Missing key startswith');
  if (type === 'ListConfig') {
    return new ConfigError('ConfigAttributeError', 'ListConfig does not support attribute access');
  }
  return new ConfigError('AttributeError', `'${type}' object has no attribute 'startswith'`);
}

function resolveSelect(args: readonly Value[], { select }: ResolverCall): Value {
  checkArguments(args, { name: 'select', parameters: ['key', 'default'], required: 1, keywordOnly: 1 });
  const key = stringOf(argument(args, 0));
  if (key === undefined) throw notText(pythonTypeOf(argument(args, 0)));
  const found = select(key, { absolute: true });
  if (found === undefined || isMissingValue(found)) return args[1] ?? nullNode();
  return valueBehind(found);
}

function resolveDecode(args: readonly Value[], { decode }: ResolverCall): Value {
  checkArguments(args, { name: 'decode', parameters: ['expr'], required: 1, next: '_parent_' });
  const expression = argument(args, 0);
  if (isNull(expression)) return expression;
  const text = stringOf(expression);
  if (text === undefined) {
    throw typeError(
      `\`oc.decode\` can only take strings or None as input, but \`${pythonStr(expression)}\` is of type ` +
        pythonTypeOf(expression),
    );
  }
  return decode(text);
}

function resolveCreate(args: readonly Value[], { parent }: ResolverCall): Value {
  checkArguments(args, { name: 'create', parameters: ['obj'], required: 1, next: '_parent_' });
  const source = argument(args, 0);
  if (isNull(source)) return source;
  const text = stringOf(source);
  if (text === undefined && source.kind === 'scalar') {
    throw new ConfigError('ValidationError', `Object of unsupported type: '${pythonTypeOf(source)}'`);
  }
  const node = text === undefined ? createNode(source) : configFromString(text);
  if (node.kind === 'scalar') throw new Error('Internal error: oc.create made a scalar');
  // It sees the config around it, but the config does not hold it.
  node.parent = parent;
  return node;
}

function createNode(value: Value): ConfigNode {
  return nodeFromPlain(refuseNullKeys(value), (container) => container.clone());
}

function refuseNullKeys(value: Value): Value {
  if (value.kind === 'plain-list') {
    for (const item of value.items) refuseNullKeys(item);
  } else if (value.kind === 'plain-dict') {
    for (const { key, value: child } of value.entries.values()) {
      if (key === null) throw new ConfigError('KeyValidationError', "Incompatible key type 'NoneType'");
      refuseNullKeys(child);
    }
  }
  return value;
}

const DEPRECATION = "'$OLD_KEY' is deprecated. Change your code and config to use '$NEW_KEY'";

function resolveDeprecated(args: readonly Value[], { select, node, warn }: ResolverCall): Value {
  checkArguments(args, { name: 'deprecated', parameters: ['key', 'message'], required: 1, keywordOnly: 2 });
  const key = deprecatedText('key', argument(args, 0));
  const message = args[1] === undefined ? DEPRECATION : deprecatedText('message', args[1]);
  const oldKey = fullKeyOf(node);
  const target = select(key, { absolute: true });
  if (target === undefined) {
    throw new ConfigError('ConfigKeyError', `In oc.deprecated resolver at '${oldKey}': Key not found: '${key}'`);
  }
  warn(substitute(message, { OLD_KEY: oldKey, NEW_KEY: pathOf(target) }));
  return valueBehind(target);
}

function deprecatedText(what: 'key' | 'message', value: Value): string {
  const text = stringOf(value);
  if (text !== undefined) return text;
  throw typeError(`oc.deprecated: interpolation ${what} type is not a string (${pythonTypeOf(value)})`);
}

function pathOf(node: Dereferenced): string {
  const place = node.kind === 'result' ? node.of : node;
  return place === undefined ? '' : fullKeyOf(place);
}

/** Python's string.Template: `$NAME` and `${NAME}`; unknown names stay, `$$` is a dollar sign. */
function substitute(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\$(?:\$|([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})/g, (whole, bare, braced) => {
    if (whole === '$$') return '$';
    return values[bare ?? braced] ?? whole;
  });
}

function resolveDictKeys(args: readonly Value[], call: ResolverCall): Value {
  checkArguments(args, { name: 'keys', parameters: ['key'], required: 1, next: '_parent_' });
  const { dict } = dictArgument(argument(args, 0), call, 'oc.dict.keys');
  return adopt(new ListNode([...dict.keys()].map(keyNode)), call);
}

/** The values stay interpolations, so that they are followed where the values stand. */
function resolveDictValues(args: readonly Value[], call: ResolverCall): Value {
  checkArguments(args, {
    name: 'values',
    parameters: ['key'],
    required: 1,
    next: args.length > 2 ? '_parent_' : '_root_',
  });
  const { dict, key } = dictArgument(argument(args, 0), call, 'oc.dict.values');
  // The list is one level deeper than the interpolation that made it.
  const prefix = key.startsWith('.') ? `.${key}` : key;
  const items = [...dict.keys()].map((own) => {
    const text = `\${${prefix}.${keyText(own)}}`;
    parseInterpolation(text);
    return strNode(text);
  });
  return adopt(new ListNode(items), call);
}

function adopt(list: ListNode, { parent }: ResolverCall): ListNode {
  list.parent = parent;
  return list;
}

function dictArgument(
  value: Value,
  { select }: ResolverCall,
  resolver: string,
): { readonly dict: DictNode; readonly key: string } {
  const key = stringOf(value);
  if (key === undefined) {
    throw typeError(
      `\`${resolver}\` requires a string as input, but obtained \`${pythonStr(value)}\` of type: ${pythonTypeOf(value)}`,
    );
  }
  const found = select(key, { absolute: true, throwOnMissing: true });
  if (found === undefined) throw new ConfigError('ConfigKeyError', `Key not found: '${key}'`);
  const target = valueBehind(found);
  if (target.kind !== 'dict') {
    throw typeError(`\`${resolver}\` cannot be applied to objects of type: ${pythonTypeOf(target)}`);
  }
  return { dict: target, key };
}

function keyNode(key: ConfigKey): ScalarNode {
  if (key === null) return nullNode();
  if (typeof key === 'string') return strNode(key);
  if (typeof key === 'boolean') return new ScalarNode('bool', key);
  if (key instanceof FloatKey) return new ScalarNode('float', key.value);
  return key instanceof BytesKey ? new ScalarNode('bytes', key.bytes) : new ScalarNode('int', key);
}

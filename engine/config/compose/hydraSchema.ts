import { ConfigError } from '../errors.ts';
import { type ConfigNode, DictNode, ScalarNode } from '../node/node.ts';
import { isStringKey } from '../node/plain.ts';
import { pythonStr } from '../python/repr.ts';

/** What Hydra's typed node takes at a path; a trailing `?` allows null. Paths below a `dict` are free. */
type FieldType = 'any' | 'bool' | 'dict' | 'int' | 'list' | 'mode?' | 'node' | 'str' | 'str?';

const FIELDS: Readonly<Record<string, FieldType>> = {
  mode: 'mode?',
  searchpath: 'list',
  run: 'node',
  'run.dir': 'str',
  sweep: 'node',
  'sweep.dir': 'str',
  'sweep.subdir': 'str',
  hydra_logging: 'dict',
  job_logging: 'dict',
  sweeper: 'any',
  launcher: 'any',
  callbacks: 'dict',
  help: 'node',
  'help.app_name': 'str',
  'help.header': 'str',
  'help.footer': 'str',
  'help.template': 'str',
  hydra_help: 'node',
  'hydra_help.hydra_help': 'str',
  'hydra_help.template': 'str',
  output_subdir: 'str?',
  overrides: 'node',
  'overrides.hydra': 'list',
  'overrides.task': 'list',
  job: 'node',
  'job.name': 'str',
  'job.chdir': 'bool',
  'job.override_dirname': 'str',
  'job.id': 'str',
  'job.num': 'int',
  'job.config_name': 'str?',
  'job.env_set': 'dict',
  'job.env_copy': 'list',
  'job.config': 'node',
  'job.config.override_dirname': 'node',
  'job.config.override_dirname.kv_sep': 'str',
  'job.config.override_dirname.item_sep': 'str',
  'job.config.override_dirname.exclude_keys': 'list',
  runtime: 'node',
  'runtime.version': 'str',
  'runtime.version_base': 'str',
  'runtime.cwd': 'str',
  'runtime.config_sources': 'list',
  'runtime.output_dir': 'str',
  'runtime.choices': 'dict',
  verbose: 'any',
};

const BOOLEAN_TEXTS = new Map([
  ...['on', 'true', 'yes', 'y', '1'].map((text) => [text, true] as const),
  ...['off', 'false', 'no', 'n', '0'].map((text) => [text, false] as const),
]);

/**
 * A value for `hydra.<path>` as Hydra's typed node would store it: numbers become text where text is wanted, texts
 * booleans and numbers. Throws OmegaConf's ValidationError. Paths that Hydra does not know are let through.
 */
export function conformHydraValue(path: string, node: ConfigNode): ConfigNode {
  const type = path === '' ? 'node' : Object.hasOwn(FIELDS, path) ? FIELDS[path] : undefined;
  if (type === undefined || type === 'any' || node.isMissing || node.isInterpolation) return node;
  if (node.isNull) {
    if (type.endsWith('?')) return node;
    throw new ConfigError('ValidationError', `field '${fullKey(path)}' is not Optional`, {
      origin: node.origin,
      fullKey: fullKey(path),
    });
  }
  switch (type) {
    case 'node':
      return conformChildren(path, node);
    case 'dict':
      return node.kind === 'dict' ? node : refuse(path, node, 'a mapping');
    case 'list':
      return node.kind === 'list' ? node : refuse(path, node, 'a list');
    case 'bool':
      return conformBoolean(path, node);
    case 'int':
      return conformInteger(path, node);
    case 'mode?':
      return node.kind === 'scalar' && /^(?:RunMode\.)?(?:RUN|MULTIRUN)$/.test(String(node.value))
        ? node
        : refuse(path, node, 'RUN or MULTIRUN');
    default:
      if (node.kind !== 'scalar' || node.type === 'bytes') return refuse(path, node, 'text');
      return node.type === 'str' ? node : replaced(node, new ScalarNode('str', pythonStr(node)));
  }
}

function conformChildren(path: string, node: ConfigNode): ConfigNode {
  if (node.kind !== 'dict') return refuse(path, node, 'a mapping');
  const result = new DictNode([], node.origin);
  result.keyOrigin = node.keyOrigin;
  for (const [key, child] of node.entries()) {
    const childPath = isStringKey(key) ? (path === '' ? key : `${path}.${key}`) : undefined;
    const conformed = childPath === undefined ? child : conformHydraValue(childPath, child);
    result.set(key, conformed === child ? child.clone() : conformed);
  }
  return result;
}

function conformBoolean(path: string, node: ConfigNode): ConfigNode {
  if (node.kind === 'scalar') {
    if (node.type === 'bool') return node;
    if (node.type === 'int') return replaced(node, new ScalarNode('bool', node.value !== 0));
    const value = BOOLEAN_TEXTS.get(String(node.value).toLowerCase());
    if (node.type === 'str' && value !== undefined) return replaced(node, new ScalarNode('bool', value));
  }
  return refuse(path, node, 'a boolean');
}

function conformInteger(path: string, node: ConfigNode): ConfigNode {
  if (node.kind === 'scalar') {
    if (node.type === 'int') return node;
    if (node.type === 'str' && /^[+-]?\d+$/.test(String(node.value))) {
      return replaced(node, new ScalarNode('int', Number(node.value)));
    }
  }
  return refuse(path, node, 'an integer');
}

function replaced(old: ConfigNode, node: ScalarNode): ScalarNode {
  node.origin = old.origin;
  node.keyOrigin = old.keyOrigin;
  node.beat = old.beat;
  return node;
}

function refuse(path: string, node: ConfigNode, wanted: string): never {
  throw new ConfigError('ValidationError', `Value '${pythonStr(node)}' of '${fullKey(path)}' is not ${wanted}`, {
    origin: node.origin,
    fullKey: fullKey(path),
  });
}

function fullKey(path: string): string {
  return path === '' ? 'hydra' : `hydra.${path}`;
}

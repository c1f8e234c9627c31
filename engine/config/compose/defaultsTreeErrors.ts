import { didYouMean } from '../../base/nearest.ts';
import { pythonChoiceText } from './choiceText.ts';
import { CompositionError, compositionError } from './compositionError.ts';
import type { ConfigDefault, DefaultItem, GroupDefault } from './defaultElement.ts';
import { type DefaultsTreeNode, inclusionChain, ROOT, type TreeContext } from './defaultsTreeNode.ts';
import { describeSource } from './source.ts';

/** No real tree is this deep; a config that includes itself would never end. */
const MAXIMUM_DEPTH = 100;

function itemOf(node: DefaultsTreeNode): DefaultItem | undefined {
  return node.item === ROOT ? undefined : node.item;
}

function located(node: DefaultsTreeNode) {
  return { origin: itemOf(node)?.origin, chain: inclusionChain(node) };
}

/** `In 'config': ` for what is not included from the root. */
function inParent(node: DefaultsTreeNode): string {
  const parent = node.parent === undefined ? undefined : itemOf(node.parent);
  if (parent !== undefined) return `In '${parent.configPath()}': `;
  return node.parent === undefined ? '' : "In '<root>': ";
}

/** A config that includes itself, however many files lie between. */
export function checkNesting(node: DefaultsTreeNode): void {
  let depth = 0;
  let repeats = 0;
  const path = itemOf(node)?.configPath();
  for (let step = node.parent; step !== undefined; step = step.parent) {
    depth++;
    if (itemOf(step)?.configPath() === path) repeats++;
  }
  // A config may be included once more below itself with other choices; a third time it goes round in circles.
  if (repeats < 2 && depth < MAXIMUM_DEPTH) return;
  const way = inclusionChain(node).map((step) => step.config);
  throw new CompositionError('RecursionError', `Recursive defaults: '${path}' includes itself: ${way.join(' → ')}`, {
    ...located(node),
    details: { config: path },
  });
}

/** A config or option that no source has. */
export function configNotFound(node: DefaultsTreeNode, { repository, choices }: TreeContext): CompositionError {
  const item = node.item as DefaultItem;
  const path = item.configPath();
  const searchPath = `\nConfig search path:\n${repository.sources.map((source) => `\t${describeSource(source)}`).join('\n')}`;
  if (item.primary) {
    const names = repository.groupOptions(item.groupPath());
    const message = `Cannot find primary config '${path}'. Check that it's in your config search path.\n${searchPath}`;
    return new CompositionError('MissingConfigException', message, {
      hint: didYouMean(item.name() ?? '', names),
      details: { missing: path },
    });
  }
  const moved = movedByShorthand(node, path, repository.configExists.bind(repository));
  if (moved !== undefined) return moved;
  if (item.kind === 'config') {
    const siblings = repository.groupOptions(item.groupPath());
    return new CompositionError('MissingConfigException', `${inParent(node)}Could not load '${path}'.\n${searchPath}`, {
      ...located(node),
      hint: didYouMean(item.name(), siblings),
      details: { missing: path },
    });
  }
  const group = item.groupPath();
  const options = repository.groupExists(group) ? repository.groupOptions(group) : [];
  const list = options.length === 0 ? '' : `\nAvailable options in '${group}':\n${indented(options)}`;
  const hint = options.length === 0 ? choices.groupHint(group) : didYouMean(item.name() ?? '', options);
  const message = `${inParent(node)}Could not find '${path}'\n${list}${searchPath}`;
  return new CompositionError('MissingConfigException', message, {
    ...located(node),
    hint,
    details: { missing: path, options, group },
  });
}

function indented(options: readonly string[]): string {
  return options.map((option) => `\t${option}`).join('\n');
}

/** Before 1.4 `group: sub/option` made paths relative to `group`; a config found there means the files rely on it. */
function movedByShorthand(
  node: DefaultsTreeNode,
  path: string,
  exists: (path: string) => boolean,
): CompositionError | undefined {
  const steps: DefaultItem[] = [];
  for (let step: DefaultsTreeNode | undefined = node; step !== undefined; step = step.parent) {
    const item = itemOf(step);
    if (item !== undefined) steps.unshift(item);
  }
  const normalized = steps.findLast(
    (item): item is GroupDefault => item.kind === 'group' && item.originalGroup !== undefined,
  );
  if (normalized?.originalGroup === undefined) return undefined;
  let base = '';
  let oldPath = '';
  for (const step of steps) {
    const copy = step.clone();
    if (copy.kind === 'group' && copy.originalGroup !== undefined) copy.group = copy.originalGroup;
    copy.parentBaseDirectory = base;
    base = copy.groupPath();
    oldPath = copy.configPath();
  }
  if (!exists(oldPath)) return undefined;
  const { originalGroup, group } = normalized;
  return compositionError(
    `Could not load '${path}'.\n` +
      `However, a config was found at '${oldPath}', which indicates this application\n` +
      'relies on the deprecated slash-containing default option shorthand behavior.\n' +
      `In Hydra 1.4, defaults list items like '${originalGroup}: ${group.slice(originalGroup.length + 1)}/...' are\n` +
      `normalized early to '${group}: ...'. Please update your configs or refer to the\n` +
      'migration page: https://hydra.cc/docs/upgrades/1.3_to_1.4/slash_in_default/\n',
    located(node),
  );
}

/** A mandatory choice (`???`) that nobody made. */
export function missingChoice(node: DefaultsTreeNode, { repository }: TreeContext): CompositionError {
  const item = node.item as DefaultItem;
  if (item.kind === 'config') {
    const message = `Missing ConfigDefault is not supported : ${item.configPath()}`;
    return new CompositionError('ValueError', message, located(node));
  }
  const key = item.overrideKey();
  const options = repository.groupOptions(item.groupPath());
  return compositionError(`You must specify '${key}', e.g, ${key}=<OPTION>\nAvailable options:\n${indented(options)}`, {
    ...located(node),
    details: { mandatory: key, options },
  });
}

const GUIDANCE = {
  config: "Use an absolute config path instead, such as '/group/config'.",
  'config group': "Use an absolute config group path instead, such as '/group: option'.",
  'config option':
    'Config options cannot contain parent traversal. Select the target config directly. ' +
    "Use '/config' or '/group: option' in a Defaults List, or 'group=option' (with '+' when adding a new default) on the command line.",
};
const MORE = 'See https://hydra.cc/docs/advanced/defaults_list/ for more information.';

/** Refuses backslashes and `..` in the paths of an entry of `parent`. */
export function validatePaths(item: DefaultItem, parent: DefaultsTreeNode): void {
  if (isPlain(item)) return;
  for (const [kind, path] of pathsOf(item)) {
    const parentItem = itemOf(parent);
    const place = parentItem === undefined ? '' : `In ${parentItem.configPath()}: `;
    const options = { origin: item.origin, chain: inclusionChain(parent) };
    if (path.includes('\\')) {
      throw compositionError(
        `${place}Backslash ('\\') in Defaults List ${kind} paths is not supported ('${path}').\n` +
          `Use '/' as the config group separator; it is the only supported separator, regardless of the operating system.\n${MORE}`,
        options,
      );
    }
    if (path.split('/').includes('..')) {
      throw compositionError(
        `${place}Parent traversal ('..') in Defaults List ${kind} paths is not supported ('${path}').\n${GUIDANCE[kind]}\n${MORE}`,
        options,
      );
    }
  }
}

/** Nearly every entry: told without building the list of its paths. */
function isPlain(item: DefaultItem): boolean {
  if (item.kind === 'config') return isPlainPath(item.path);
  return (
    isPlainPath(item.group) && (item.value === null || (typeof item.value === 'string' && isPlainPath(item.value)))
  );
}

function isPlainPath(path: string): boolean {
  return !path.includes('..') && !path.includes('\\');
}

function pathsOf(item: ConfigDefault | GroupDefault): readonly (readonly [keyof typeof GUIDANCE, string])[] {
  if (item.kind === 'config') return [['config', item.path]];
  const options = item.value === null ? [] : typeof item.value === 'string' ? [item.value] : item.value;
  return [['config group', item.group], ...options.map((option) => ['config option', option] as const)];
}

/** Overrides stand at the end of a defaults list. */
export function overrideTooEarly(override: GroupDefault, item: DefaultItem, node: DefaultsTreeNode): CompositionError {
  const path = itemOf(node)?.configPath() ?? '';
  const value = item.kind === 'group' ? pythonChoiceText(item.value) : item.name();
  return compositionError(
    `In ${path}: Override '${override.overrideKey()} : ${pythonChoiceText(override.value)}' is defined before '${item.overrideKey()}: ${value}'.\n` +
      'Overrides must be at the end of the defaults list',
    { origin: override.origin, chain: inclusionChain(node) },
  );
}

/** What an interpolated entry includes comes too late to override anything. */
export function overrideInInterpolated(item: GroupDefault, node: DefaultsTreeNode): CompositionError {
  const path = itemOf(node)?.configPath() ?? '';
  return compositionError(
    `${path}: Default List Overrides are not allowed in the subtree\n` +
      `of an in interpolated config group (override ${item.overrideKey()}=${pythonChoiceText(item.value)}).\n`,
    { origin: item.origin, chain: inclusionChain(node) },
  );
}

export function legacyInterpolation(item: GroupDefault, node: DefaultsTreeNode): CompositionError {
  return compositionError(
    `\nDefaults list element '${item.overrideKey()}=${pythonChoiceText(item.value)}' is using a deprecated interpolation form.\n` +
      'See http://hydra.cc/docs/1.1/upgrades/1.0_to_1.1/defaults_list_interpolation for migration information.',
    located(node),
  );
}

/** An interpolated entry that names a choice nobody made. */
export function interpolationFailure(text: string, node: DefaultsTreeNode, { choices }: TreeContext): CompositionError {
  const keys = [...choices.known.keys()];
  const list = keys.length === 0 ? '' : `, possible interpolation keys: ${keys.join(', ')}`;
  const wanted = /\$\{\s*([^{}]*?)\s*\}/.exec(text)?.[1] ?? text;
  return compositionError(`Error resolving interpolation '${text}'${list}`, {
    ...located(node),
    hint: didYouMean(wanted, keys),
    details: { keys },
  });
}

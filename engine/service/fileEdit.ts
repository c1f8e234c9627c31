import { readFileSync, realpathSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import type { FileEdit } from '../api/configModel.ts';
import { EngineError } from '../api/errors.ts';
import {
  ConfigCache,
  type ConfigNode,
  type ConfigSource,
  compose,
  type DictNode,
  type FileOrigin,
  FileSource,
  leafEdits,
  loadYaml,
  writeBack,
} from '../config/index.ts';
import { type ConfigPlace, composeProject, engineRequest, explained } from './composition.ts';
import { nodeAt, withoutValueOverrides } from './overrideEdit.ts';

export interface FileEditRequest {
  readonly configName: string;
  readonly overrides: readonly string[];
  /** Dotted path of the value in the composed config. */
  readonly path: string;
}

interface PlannedEdit {
  /** Absolute. */
  readonly file: string;
  readonly text: string;
  readonly edit: FileEdit;
}

/**
 * What changes in a config file when the value that the overrides give a key is written where the key is set, and which
 * overrides are needed afterwards. Composing with the changed text gives the very same config: that is checked. Throws
 * `config.write.…` and what writing back throws.
 */
export function planFileEdit(place: ConfigPlace, request: FileEditRequest): PlannedEdit {
  const { configName, overrides, path } = request;
  const wanted = composeProject(place, { configName, overrides }).config;
  const others = withoutValueOverrides(overrides, path);
  const value = nodeAt(wanted, path);
  if (value === undefined) throw new EngineError('config.write.no-such-key', `The config has no '${path}'.`, { path });
  const origin = nodeAt(composeProject(place, { configName, overrides: others }).config, path)?.origin;
  if (origin?.kind !== 'file') throw noFile(path);
  const file = fileOf(place, origin, path);
  const text = readFileSync(file, 'utf8');
  const within = pathOf(loadYaml(text, { source: origin.source }), origin);
  if (within === undefined) throw noFile(path);
  const written = explained(() => writeBack(text, within, value, { source: origin.source }));
  const after = composeOverlaid(place, { ...request, overrides: others }, file, written.text);
  const rest = leafEdits(after, wanted);
  if (rest.inexpressible.length > 0) throw noFile(path);
  return {
    file,
    text: written.text,
    edit: {
      file: relative(place.root, file).split(sep).join('/'),
      ...changedLines(text, written.text),
      overrides: [...others, ...rest.overrides],
      alsoChanged: [...written.alsoChanged],
    },
  };
}

/** Writes the file beside and moves it into place; a link stays one. */
export function writeFileEdit({ file, text, edit }: PlannedEdit): FileEdit {
  const target = realpathSync(file);
  const beside = `${target}.${process.pid}.new`;
  writeFileSync(beside, text, { mode: statSync(target).mode });
  renameSync(beside, target);
  return edit;
}

function noFile(path: string): EngineError {
  return new EngineError(
    'config.write.no-file',
    `No config file sets '${path}' by itself, so there is no place to write it to. Keep the override, or add the key to a file.`,
    { path },
  );
}

function fileOf(place: ConfigPlace, origin: FileOrigin, path: string): string {
  const file = resolve(place.root, origin.source);
  const inside = relative(place.root, file);
  const isOurs =
    !inside.startsWith(`..${sep}`) && !isAbsolute(inside) && statSync(file, { throwIfNoEntry: false })?.isFile();
  if (isOurs) return file;
  throw new EngineError(
    'config.write.outside',
    `'${path}' is set in ${origin.source}, which is no file of this project: it is left alone.`,
    { path, file: origin.source },
  );
}

/** The keys that lead to the value written at a place of a file. */
function pathOf(root: ConfigNode, { line, column }: FileOrigin): string[] | undefined {
  if (root.kind === 'scalar') return undefined;
  const children = root.kind === 'list' ? root.items : [...root.values()];
  for (const child of children) {
    const at = child.origin;
    if (at?.kind === 'file' && at.line === line && at.column === column) return [String(child.key)];
    const below = pathOf(child, { line, column } as FileOrigin);
    if (below) return [String(child.key), ...below];
  }
  return undefined;
}

/** The config as it will be with another text in one of its files. */
function composeOverlaid(place: ConfigPlace, request: FileEditRequest, file: string, text: string): DictNode {
  const engine = engineRequest(place, request);
  const searchPath = engine.searchPath.map((folder) => {
    const source = new FileSource(folder, { cwd: place.root });
    return overlaid(source, (name) => resolve(source.directory, name) === file, text);
  });
  return explained(() => compose({ ...engine, searchPath, cache: new ConfigCache() }).config);
}

function overlaid(source: FileSource, isFile: (name: string) => boolean, text: string): ConfigSource {
  return {
    provider: source.provider,
    url: source.url,
    available: () => source.available(),
    stat: (name) => source.stat(name),
    list: (name) => source.list(name),
    read: (name) => (isFile(name) ? text : source.read(name)),
    display: (name) => source.display(name),
  };
}

/** The lines from the first to the last that differ. */
function changedLines(before: string, after: string): Pick<FileEdit, 'line' | 'removed' | 'added'> {
  const old = before.split(/\r?\n/);
  const now = after.split(/\r?\n/);
  let start = 0;
  while (start < Math.min(old.length, now.length) && old[start] === now[start]) start++;
  let end = 0;
  while (end < Math.min(old.length, now.length) - start && old.at(-1 - end) === now.at(-1 - end)) end++;
  return {
    line: start + 1,
    removed: old.slice(start, old.length - end),
    added: now.slice(start, now.length - end),
  };
}

import { type Dirent, readdirSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { EngineError } from '../../api/errors.ts';

/** Endings of the image formats that sharp reads. */
export const imageExtensions = ['.jpg', '.jpeg', '.png', '.webp', '.gif', '.avif', '.tif', '.tiff'] as const;

export interface ClassFolders {
  /** Names of the folders, sorted; a class's place is its number. */
  readonly classes: readonly string[];
  /** Path and class number of each file: by class, then by folder, then by name. */
  readonly samples: readonly (readonly [path: string, label: number])[];
}

/**
 * Finds what torchvision.datasets.ImageFolder finds, in its order: every folder of `root` is a class, every file with a
 * known ending in it, or in folders below, a sample. Throws `data.folder`.
 */
export function findClassFolders(root: string, extensions: readonly string[], allowEmpty: boolean): ClassFolders {
  const classes = entriesOf(root)
    .filter((entry) => isFolder(join(root, entry.name)))
    .map((entry) => entry.name)
    .sort();
  if (classes.length === 0) {
    throw new EngineError(
      'data.folder',
      `${root} has no class folders. It needs one folder for each class, with that class's files in it.`,
      { root },
    );
  }
  const wanted = new Set(extensions.map((extension) => extension.toLowerCase()));
  const samples: (readonly [string, number])[] = [];
  const empty: string[] = [];
  classes.forEach((name, label) => {
    const before = samples.length;
    for (const folder of foldersBelow(join(root, name)).sort()) {
      for (const file of filesOf(folder, wanted)) samples.push([join(folder, file), label]);
    }
    if (samples.length === before) empty.push(name);
  });
  if (empty.length > 0 && !allowEmpty) {
    throw new EngineError(
      'data.folder',
      `${root}: no file of a known kind (${extensions.join(', ')}) in the class${empty.length > 1 ? 'es' : ''} ${empty.join(', ')}. Remove the folder, convert its files, or set allow_empty: true.`,
      { root, classes: empty, extensions },
    );
  }
  return { classes, samples };
}

function foldersBelow(folder: string): string[] {
  const below = entriesOf(folder)
    .map((entry) => join(folder, entry.name))
    .filter(isFolder);
  return [folder, ...below.flatMap(foldersBelow)];
}

function filesOf(folder: string, wanted: ReadonlySet<string>): string[] {
  return entriesOf(folder)
    .map((entry) => entry.name)
    .filter((name) => wanted.has(extname(name).toLowerCase()) && !isFolder(join(folder, name)))
    .sort();
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    throw new EngineError(
      'data.folder',
      `The folder ${folder} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      { root: folder },
      { cause: error },
    );
  }
}

/** Follows links, as torchvision does. */
function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

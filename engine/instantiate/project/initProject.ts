import { cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EngineError } from '../../api/errors.ts';
import { didYouMean } from '../../base/nearest.ts';
import { TSCONFIG, tsconfigText, writeEditorConfig } from './editorConfig.ts';
import { PROJECT_FILE } from './projectFile.ts';

const PACKAGE_ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const TEMPLATES = join(PACKAGE_ROOT, 'resources', 'templates');

/** What a template is made of: folders of this package, copied into the new project under the name given. */
interface Template {
  readonly name: string;
  readonly parts: readonly { readonly from: string; readonly to: string }[];
}

export interface InitializedProject {
  readonly root: string;
  /** Files written, relative to the root, with forward slashes. */
  readonly files: readonly string[];
}

/** Names of the templates that a project can start from. */
export function templateNames(): string[] {
  return readdirSync(TEMPLATES, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

/**
 * Creates a project from a template. Files of other names in the folder stay; one that is there already is never
 * overwritten: then nothing is written and 'project.exists' names it. 'project.unknown-template' for other templates.
 */
export function initProject(folder: string, template: string): InitializedProject {
  const root = resolve(folder);
  const { parts } = findTemplate(template);
  const copies = parts.flatMap(({ from, to }) =>
    listFiles(from).map((file) => ({ from: join(from, file), to: join(to, file) })),
  );
  const files = [...copies.map((copy) => copy.to), PROJECT_FILE, TSCONFIG, '.gitignore'];
  const existing = files.filter((file) => existsSync(join(root, file)));
  if (existing.length > 0) {
    const listed = existing.slice(0, 5).join(', ') + (existing.length > 5 ? ` and ${existing.length - 5} more` : '');
    throw new EngineError(
      'project.exists',
      `${root} has ${listed} already; nothing was written. Choose an empty folder, or move these away.`,
      { root, existing },
    );
  }
  mkdirSync(root, { recursive: true });
  for (const copy of copies) cpSync(copy.from, join(root, copy.to), { errorOnExist: true, force: false });
  writeFileSync(join(root, PROJECT_FILE), projectFileText(template), { flag: 'wx' });
  writeFileSync(join(root, '.gitignore'), '/.accelhydra/\n/data/\n/experiments/\n/multirun/\nnode_modules/\n', {
    flag: 'wx',
  });
  writeFileSync(join(root, TSCONFIG), tsconfigText, { flag: 'wx' });
  writeEditorConfig(root);
  return { root, files: files.map((file) => file.replaceAll('\\', '/')) };
}

function findTemplate(name: string): Template {
  const known = templateNames();
  if (!known.includes(name)) {
    throw new EngineError(
      'project.unknown-template',
      `There is no template '${name}'. Known: ${known.join(', ')}.${didYouMean(name, known)}`,
      { template: name, known },
    );
  }
  // The sample project's configs are this repository's own: one tree to keep right.
  const parts = [
    { from: join(PACKAGE_ROOT, 'configs'), to: 'configs' },
    { from: join(TEMPLATES, name), to: '.' },
  ];
  return { name, parts };
}

function listFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

function projectFileText(template: string): string {
  return `# This project's settings; every line may go, these are the defaults.
name: ${template}
config_dir: configs
source_roots: [.]
default_config: train
inference_config: inference
# npm packages whose exports may be targets, e.g. '@scope/pkg' or 'pkg#Export'
trusted_npm: []
`;
}

import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import type { Project } from '../instantiate/project/loadProject.ts';

/** A key that every file of `accelerate config` has, at the start of a line. */
const LAUNCH_KEY = /^(compute_environment|distributed_type|num_processes)\s*:/m;

/** Accelerate launch files of a project, relative to it: YAML files at its root and below `accelerate` folders. */
export function findLaunchFiles(project: Project): string[] {
  const folders = [
    project.root,
    join(project.root, 'accelerate'),
    join(project.configDir, 'accelerate'),
    project.configDir,
  ];
  const files = new Set<string>();
  for (const folder of folders) {
    for (const name of yamlFiles(folder)) {
      const file = join(folder, name);
      if (LAUNCH_KEY.test(readFileSync(file, 'utf8').slice(0, 65_536))) {
        files.add(relative(project.root, file).split(sep).join('/'));
      }
    }
  }
  return [...files].sort();
}

function yamlFiles(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.ya?ml$/.test(entry.name))
      .map((entry) => entry.name);
  } catch {
    return []; // there is no such folder
  }
}

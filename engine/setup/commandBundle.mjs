// The short commands in one file: what prints, explains and completes configs starts from .runtime/command instead of from
// its hundred and more sources, which halves the time from a key press to an answer. The sources stay the truth: the file
// is used only while every source that went into it has the time and size that it had then. Set-up and `npm start` make it
// anew; in between the sources themselves run.
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { root, runtimeFolder } from './paths.mjs';

export const bundleFolder = join(runtimeFolder, 'command');
export const bundleIndex = join(bundleFolder, 'index.json');

const shortCommands = new Set(['why', 'completion', '__complete', 'help', '--help', '-h', '--version', '-V']);

/**
 * Whether a command line asks for nothing but text about commands and configs.
 * @param {readonly string[]} argv
 */
export function isShortCommand(argv) {
  const [command] = argv;
  if (command === undefined || shortCommands.has(command)) return true;
  return command === 'train' && argv.some((word) => /^(?:--(?:cfg|info)(?:=|$)|-[ci]$)/.test(word));
}

/** The bundle, or undefined when there is none or a source has changed since. Costs about a millisecond. */
export function freshBundle() {
  try {
    const index = JSON.parse(readFileSync(bundleIndex, 'utf8'));
    if (index.root !== root) return undefined;
    for (const [file, modified, size] of index.inputs) {
      const status = statSync(join(root, file));
      if (status.mtimeMs !== modified || status.size !== size) return undefined;
    }
    return join(bundleFolder, index.file);
  } catch {
    return undefined; // none yet, or a source is gone: the sources themselves run
  }
}

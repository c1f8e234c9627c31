import { existsSync } from 'node:fs';
import { delimiter, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { shellQuote } from '../../service/commandText.ts';
import { type ExitCode, exitCodes } from '../exitCodes.ts';
import type { Terminal } from '../ui/terminal.ts';

const PACKAGE_ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** `init`: writes a project from a template and says what to do next. */
export async function init(terminal: Terminal, folder: string, template: string): Promise<ExitCode> {
  const { initProject } = await import('../../service/index.ts');
  const { root, files } = initProject(folder, template);
  const fromHere = relative(process.cwd(), root) || '.';
  const place = fromHere.startsWith('..') ? root : fromHere;
  terminal.print(`Created ${place} from the template '${template}': ${files.length} files.`);
  terminal.print('Next:');
  if (!isOnPath(process.env.PATH ?? '')) {
    terminal.print(
      `  (cd ${shellQuote(PACKAGE_ROOT.replace(/[\\/]$/, ''))} && npm link)    # once: puts accelhydra on your PATH`,
    );
  }
  if (place !== '.') terminal.print(`  cd ${shellQuote(place)}`);
  terminal.print('  accelhydra train --cfg job    # the composed config');
  terminal.print('  accelhydra train              # train it');
  terminal.print('  accelhydra serve --open       # the app');
  return exitCodes.ok;
}

/** Whether a shell finds the command. The folders that npx and npm put before the rest are there for one command only. */
function isOnPath(path: string): boolean {
  const forOneCommand = join('node_modules', '.bin');
  return path
    .split(delimiter)
    .filter((folder) => folder !== '' && !folder.endsWith(sep + forOneCommand))
    .some((folder) => existsSync(join(folder, 'accelhydra')));
}

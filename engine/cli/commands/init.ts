import { relative } from 'node:path';
import { type ExitCode, exitCodes } from '../exitCodes.ts';
import type { Terminal } from '../ui/terminal.ts';

/** `init`: writes a project from a template and says what to do next. */
export async function init(terminal: Terminal, folder: string, template: string): Promise<ExitCode> {
  const { initProject } = await import('../../service/index.ts');
  const { root, files } = initProject(folder, template);
  const place = relative(process.cwd(), root) || '.';
  terminal.print(`Created ${place} from the template '${template}': ${files.length} files.`);
  terminal.print('Next:');
  if (place !== '.') terminal.print(`  cd ${place}`);
  terminal.print('  accelhydra train --cfg job    # the composed config');
  terminal.print('  accelhydra train              # train it');
  terminal.print('  accelhydra serve --open       # the app');
  return exitCodes.ok;
}

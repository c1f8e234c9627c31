import type { Command } from 'commander';
import type { Terminal } from '../ui/terminal.ts';
import type { Finish } from './finish.ts';
import { examples, portNumber } from './valueParsers.ts';

export function addMachine(program: Command, terminal: Terminal, finish: Finish): void {
  program
    .command('devices')
    .summary('list the devices that training can use')
    .description('List the devices that training can use.')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }) => {
      const { devices } = await import('../commands/machine.ts');
      finish(await devices(terminal, options));
    });
  program
    .command('doctor')
    .summary('what this machine offers, what is used, and how to get better')
    .description('Say what was found on this machine, what is used, why, and how to get better.')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }) => {
      const { doctor } = await import('../commands/machine.ts');
      finish(await doctor(terminal, options));
    });
}

export function addProject(program: Command, terminal: Terminal, finish: Finish): void {
  program
    .command('init')
    .summary('create a project from a template')
    .description('Create a project from a template: configs, code and a settings file. Nothing is overwritten.')
    .argument('<dir>', 'folder of the new project')
    .option('--template <name>', 'which template', 'mnist')
    .addHelpText('after', examples([['accelhydra init digits --template mnist', '']]))
    .action(async (dir: string, options: { template: string }) => {
      const { init } = await import('../commands/init.ts');
      finish(await init(terminal, dir, options.template));
    });
  program
    .command('serve')
    .summary('serve the app on a loopback port')
    .description('Serve the app to a browser of this machine. Training goes on when it ends.')
    .option('--port <port>', 'exactly this port; the first free one from 4170 on by default', portNumber)
    .option('--project <dir>', 'project folder; found from here upwards by default')
    .option('--open', 'open the browser')
    .option('--headless', 'never open anything; only print the link')
    .addHelpText(
      'after',
      examples([
        ['accelhydra serve --open', ''],
        ['ssh -L 4170:localhost:4170 gpu-box accelhydra serve --port 4170 --headless', 'from another machine'],
      ]),
    )
    .action(async (options: { port?: number; project?: string; open?: boolean; headless?: boolean }) => {
      const { serve } = await import('../commands/serve.ts');
      finish(await serve(terminal, options));
    });
}

import type { Command } from 'commander';
import type { Terminal } from '../ui/terminal.ts';
import { addContinuing } from './continueCommands.ts';
import type { Finish } from './finish.ts';
import { examples, positiveInteger } from './valueParsers.ts';

export function addRuns(program: Command, terminal: Terminal, finish: Finish): void {
  const runs = program
    .command('runs')
    .summary('list, show, resume, branch and remove runs')
    .description('The runs of a project.');
  const common = (command: Command) =>
    command
      .option('--json', 'as JSON, for programs')
      .option('--project <dir>', 'project folder; found from here upwards by default');
  common(runs.command('list').summary('list runs, newest first').description('List runs, newest first.'))
    .argument('[words...]', 'only runs whose id, name, overrides, tags or notes hold all these words')
    .option('--status <status...>', 'only these: starting, running, stopping, completed, stopped, failed, killed, lost')
    .option('--limit <count>', 'at most so many', positiveInteger, 30)
    .addHelpText(
      'after',
      examples([
        ['accelhydra runs list --status running --json', ''],
        ['accelhydra runs list resnet', ''],
      ]),
    )
    .action(
      async (words: string[], options: { json?: boolean; project?: string; status?: string[]; limit: number }) => {
        const { listRuns } = await import('../commands/runs.ts');
        finish(await listRuns(terminal, words, options));
      },
    );
  common(
    runs
      .command('show')
      .summary('show one run')
      .description('Show one run: what it is, how it ended, metrics and checkpoints.'),
  )
    .argument('<run>', "id (or its unique start), name, folder, or 'last'")
    .option('--config', 'print its config')
    .addHelpText(
      'after',
      examples([
        ['accelhydra runs show last', ''],
        ['accelhydra runs show 20261123-144115 --config', ''],
      ]),
    )
    .action(async (run: string, options: { json?: boolean; project?: string; config?: boolean }) => {
      const { showRun } = await import('../commands/runs.ts');
      finish(await showRun(terminal, run, options));
    });
  common(
    runs.command('rm').summary('remove runs').description('Remove runs from the list, and their folders when asked.'),
  )
    .argument('<runs...>', 'ids, names or folders')
    .option('--folder', 'delete the folder too: config, logs, checkpoints, everything')
    .option('--yes', 'do not ask')
    .addHelpText('after', examples([['accelhydra runs rm 20261123-144115-f7k3q --folder', '']]))
    .action(async (names: string[], options: { json?: boolean; project?: string; folder?: boolean; yes?: boolean }) => {
      const { removeRuns } = await import('../commands/runs.ts');
      finish(await removeRuns(terminal, names, options));
    });
  addContinuing(runs, terminal, finish);
  common(runs.command('stop').summary('stop a running run').description('Ask a run to save a checkpoint and end.'))
    .argument('<run>', 'id, name or folder')
    .option('--kill', 'end it at once, saving nothing')
    .action(async (run: string, options: { json?: boolean; project?: string; kill?: boolean }) => {
      const { stopRun } = await import('../commands/runs.ts');
      finish(await stopRun(terminal, run, options));
    });
  common(
    runs
      .command('scan')
      .summary('find runs by their folders')
      .description('Find run folders that the list does not know.'),
  ).action(async (options: { json?: boolean; project?: string }) => {
    const { scanRuns } = await import('../commands/runs.ts');
    finish(await scanRuns(terminal, options));
  });
}

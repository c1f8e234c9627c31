import type { Command } from 'commander';
import type { ContinueFlags } from '../options.ts';
import type { Terminal } from '../ui/terminal.ts';
import type { Finish } from './finish.ts';
import { addDeviceOptions } from './sharedOptions.ts';
import { examples, naturalNumber } from './valueParsers.ts';

/** `runs resume` and `runs branch`. */
export function addContinuing(runs: Command, terminal: Terminal, finish: Finish): void {
  const common = (command: Command) =>
    addDeviceOptions(
      command
        .argument('<run>', "id (or its unique start), name, folder, or 'last'")
        .argument('[overrides...]', "Hydra overrides of values, on top of the run's saved config")
        .option('--step <number>', 'from the checkpoint of this step; the newest by step unless given', naturalNumber)
        .option('--checkpoint <path>', 'or from this one: best, checkpoints/epoch_3, ckpt_step_1000'),
    )
      .option('-o, --overrides <overrides...>', 'overrides, as AccelHydra takes them')
      .option('--detach', 'return as soon as the run has started')
      .option('--json', 'print the id of the run as JSON and return')
      .option('--project <dir>', 'project folder; found from here upwards by default');
  common(
    runs
      .command('resume')
      .summary('go on with a run from a checkpoint, in its own folder')
      .description(
        'Go on with a run that has ended, in its own folder, with its saved config. How long it trains, when it saves and logs, and where it reports may change (epochs, trainer.save_…, trainer.log_every_n_steps, trainer.early_stop, trainer.logging_config…); for anything else branch.',
      ),
  )
    .addHelpText(
      'after',
      examples([
        ['accelhydra runs resume last', 'from its newest checkpoint'],
        ['accelhydra runs resume mnist --step 400 epochs=10', 'from step 400, to ten epochs'],
      ]),
    )
    .action(async (run: string, overrides: string[], options: ContinueFlags) => {
      const { resumeRun } = await import('../commands/continueRun.ts');
      finish(await resumeRun(terminal, run, [...overrides, ...(options.overrides ?? [])], options));
    });
  common(
    runs
      .command('branch')
      .summary('begin a new run at a checkpoint of another one')
      .description(
        "Begin a new run, in a folder of its own, at a checkpoint of another one: weights, optimizer, place in the data, everything, with the run's saved config and any overrides on top. The new run remembers where it comes from.",
      ),
  )
    .option('--name <name>', 'name of the new run')
    .addHelpText(
      'after',
      examples([
        ['accelhydra runs branch mnist optimizer.lr=1e-4', 'its newest checkpoint, trained on with another rate'],
        ['accelhydra runs branch mnist --step 400 epochs=10 --name longer', ''],
      ]),
    )
    .action(async (run: string, overrides: string[], options: ContinueFlags) => {
      const { branchRun } = await import('../commands/continueRun.ts');
      finish(await branchRun(terminal, run, [...overrides, ...(options.overrides ?? [])], options));
    });
}

import type { Command } from 'commander';
import { EngineError } from '../../api/errors.ts';
import { didYouMean } from '../../base/nearest.ts';
import type { VerifyOptions } from '../commands/verify.ts';
import type { ExitCode } from '../exitCodes.ts';
import type { ConfigOptions, LaunchFlags } from '../options.ts';
import type { Terminal } from '../ui/terminal.ts';
import type { Finish } from './finish.ts';
import {
  addConfigOptions,
  addLaunchOptions,
  addProcessOptions,
  addSourceOptions,
  configDirOption,
  flagsOf,
} from './sharedOptions.ts';
import { examples, naturalNumber } from './valueParsers.ts';

export function addTrain(program: Command, terminal: Terminal, finish: Finish): void {
  const command = program
    .command('train')
    .summary('compose a config and train it')
    .description('Compose a config with Hydra overrides and train it. The run goes on when this command is killed.')
    .argument('[overrides...]', 'Hydra overrides: key=value, group=option, +key=value, ~key')
    .addHelpText(
      'after',
      examples([
        ['accelhydra train', 'the default config, as configs/train.yaml says'],
        ['accelhydra train model/backbone=resnet epochs=3', 'another backbone, three epochs'],
        ['accelhydra train --num_processes 2 --cfg job --resolve', 'print what would be trained'],
        ['accelhydra train --multirun optimizer=sgd,adam seed=range(3)', 'six runs, one after the other'],
        [
          'accelhydra train --config_file configs/accelerate/2cpu.yaml',
          'on the processes and devices of a launch file',
        ],
      ]),
    );
  addConfigOptions(command);
  addLaunchOptions(command);
  command.action(async (overrides: string[], options: ConfigOptions & LaunchFlags) => {
    const all = [...overrides, ...(options.overrides ?? [])];
    checkPrinting(options);
    if (options.cfg !== undefined || options.info !== undefined) {
      const { printConfig } = await import('../commands/printConfig.ts');
      finish(await printConfig(terminal, all, options));
      return;
    }
    const { isSweep, multirun } = await import('../commands/multirun.ts');
    if (options.multirun || (await isSweep(all, options))) finish(await multirun(terminal, all, options));
    else {
      const { train } = await import('../commands/train.ts');
      finish(await train(terminal, all, options));
    }
  });
}

/** Refuses, as Hydra does, what would be passed over in silence: with a typing error a training would start. */
function checkPrinting({ cfg, info, multirun, resolve, package: part }: ConfigOptions): void {
  const flag = resolve ? '--resolve' : part === undefined ? undefined : '--package';
  if (flag !== undefined && cfg === undefined) {
    throw new EngineError('usage.needs-cfg', `${flag} says how --cfg prints: give it with --cfg job, hydra or all.`);
  }
  const chosen = [cfg && '--cfg', info && '--info', multirun && '--multirun'].filter(Boolean);
  if (chosen.length > 1) {
    throw new EngineError(
      'usage.one-of',
      `Only one of --multirun, --cfg and --info can be given, not ${chosen.join(' and ')}.`,
    );
  }
}

export function addPlan(program: Command, terminal: Terminal, finish: Finish): void {
  const command = program
    .command('plan')
    .summary('what a training would do, step by step')
    .description(
      "Work out a training without running a step of it: optimizer steps, learning rates, every validation, checkpoint and log event, the disk it needs, and what looks wrong. The project's constructors run, its hooks do not.",
    )
    .argument('[overrides...]', 'Hydra overrides')
    .option('--json', 'as JSON, with the learning rate of every optimizer step')
    .addHelpText(
      'after',
      examples([
        ['accelhydra plan', 'of the default config'],
        ['accelhydra plan --num_processes 2 epochs=10', 'ten epochs on two processes'],
        ['accelhydra plan --json lr_scheduler=cosine', 'for programs'],
      ]),
    );
  addSourceOptions(command);
  addProcessOptions(command);
  command.action(async (overrides: string[], options: ConfigOptions & LaunchFlags & { readonly json?: boolean }) => {
    const { plan } = await import('../commands/plan.ts');
    finish(await plan(terminal, overrides, options));
  });
}

export function addLaunch(program: Command, run: (argv: readonly string[]) => Promise<ExitCode>, finish: Finish): void {
  const command = program
    .command('launch')
    .summary("accelerate's long form of train")
    .description(
      "Accelerate's long form: launch options first, then the command. The same as giving them to the command.",
    )
    .argument('<command>', "what to launch: 'train'")
    .argument('[arguments...]', 'its options and overrides')
    .passThroughOptions()
    .addHelpText(
      'after',
      examples([
        ['accelhydra launch --config_file configs/accelerate/2cpu.yaml train epochs=3', 'two processes, three epochs'],
      ]),
    );
  addLaunchOptions(command);
  command.action(async (name: string, rest: string[], options: LaunchFlags) => {
    if (name !== 'train') {
      throw new EngineError(
        'usage.unknown-command',
        `Only 'train' can be launched, not '${name}'.${didYouMean(name, ['train'])}`,
      );
    }
    finish(await run(['train', ...flagsOf(command, options), ...rest]));
  });
}

export function addInfer(program: Command, terminal: Terminal, finish: Finish): void {
  program
    .command('infer')
    .summary('run a checkpoint over a data split')
    .description(
      'Compose the inference config, load a checkpoint with its own config, and write predictions and metrics.',
    )
    .argument('[overrides...]', 'exp_dir=…, ckpt_dir_or_file=…, and Hydra overrides of the inference config')
    .addOption(configDirOption())
    .option('--config-name <name>', 'inference config; the project says which one by default')
    .option('--project <dir>', 'project folder; found from here upwards by default')
    .addHelpText(
      'after',
      examples([
        ['accelhydra infer exp_dir=experiments/digits', "the run's best checkpoint, or its last"],
        ['accelhydra infer exp_dir=experiments/digits use_ema=false', "the last step's weights, not the averages"],
        [
          'accelhydra infer ckpt_dir_or_file=experiments/digits/checkpoints/epoch_2 data@data_dict=test',
          'this one, on the test split',
        ],
      ]),
    )
    .action(async (overrides: string[], options: ConfigOptions) => {
      const { infer } = await import('../commands/infer.ts');
      finish(await infer(terminal, overrides, options));
    });
}

export function addVerify(program: Command, terminal: Terminal, finish: Finish): void {
  program
    .command('verify')
    .summary('check a checkpoint: its files, and that training does the same again')
    .description(
      "Check every file's hash, then do steps again from the checkpoint, in processes of their own, and compare to the bit: with the run's next checkpoint and its record; the last checkpoint is arrived at from the one before. The run's folder is only read. Exit code 1 when something differs or is damaged.",
    )
    .argument('<checkpoint>', "a checkpoint's folder, or a run's folder for its newest")
    .option('--steps <count>', 'do so many steps again; 0 checks the files only', naturalNumber)
    .option('--json', 'as JSON, for programs')
    .option('--project <dir>', 'where the code is when the run does not say; found from here upwards by default')
    .addHelpText(
      'after',
      examples([
        ['accelhydra verify experiments/digits/checkpoints/epoch_2', 'its files, and the steps to the next checkpoint'],
        ['accelhydra verify experiments/digits --steps 0', "the newest one's files only"],
        ['accelhydra verify experiments/digits/ckpt_step_500 --steps 20 --json', ''],
      ]),
    )
    .action(async (checkpoint: string, options: VerifyOptions) => {
      const { verify } = await import('../commands/verify.ts');
      finish(await verify(terminal, checkpoint, options));
    });
}

export function addWhy(program: Command, terminal: Terminal, finish: Finish): void {
  const command = program
    .command('why')
    .summary('where a value of the config comes from')
    .description('Say where a value of the composed config comes from, and which values it beat.')
    .argument('<path>', 'dotted path: trainer.max_grad_norm')
    .argument('[overrides...]', 'Hydra overrides')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      examples([['accelhydra why trainer.max_grad_norm model/backbone=resnet', 'winner first, then what it beat']]),
    );
  addSourceOptions(command);
  command.action(async (path: string, overrides: string[], options: ConfigOptions & { readonly json?: boolean }) => {
    const { why } = await import('../commands/why.ts');
    finish(await why(terminal, path, overrides, options));
  });
}

export function addSchema(program: Command, terminal: Terminal, finish: Finish): void {
  const command = program
    .command('schema')
    .summary('print a JSON Schema of the config, for editors')
    .description(
      'Print a JSON Schema of the composed config: what its targets take, with types, ranges, defaults and docs. Sources are read, not run.',
    )
    .argument('[overrides...]', 'Hydra overrides')
    .addHelpText(
      'after',
      examples([
        ['accelhydra schema > configs/train.schema.json', ''],
        ['# yaml-language-server: $schema=train.schema.json', 'as the first line of configs/train.yaml'],
      ]),
    );
  addSourceOptions(command);
  command.action(async (overrides: string[], options: ConfigOptions) => {
    const { schema } = await import('../commands/schema.ts');
    finish(await schema(terminal, overrides, options));
  });
}

import { type Command, Option } from 'commander';
import { naturalNumber, portNumber, positiveInteger } from './valueParsers.ts';

export function configDirOption(): Option {
  return new Option('--config-dir <dir>', "config folder; the project's own by default");
}

/** Where configs come from. */
export function addSourceOptions(command: Command): void {
  command
    .addOption(configDirOption())
    .addOption(new Option('--config-path <dir>', 'the same, as Hydra calls it'))
    .option('--config-name <name>', "config to compose; the project's default by default")
    .option('--project <dir>', 'project folder; found from here upwards by default');
}

export function addConfigOptions(command: Command): void {
  addSourceOptions(command);
  command
    .addOption(new Option('-c, --cfg <part>', 'print the config instead of training').choices(['job', 'hydra', 'all']))
    .addOption(
      new Option('-i, --info [what]', 'print how the config comes about instead of training').choices([
        'all',
        'config',
        'defaults',
        'defaults-tree',
        'searchpath',
      ]),
    )
    .option('-r, --resolve', 'with --cfg: resolve interpolations')
    .option('-p, --package <path>', 'with --cfg: only this part')
    .option('-m, --multirun', 'one run after another for every combination of a sweep: lr=0.1,0.01 model=glob(*)')
    .option('--dry-run', 'print what would be started; with --multirun the overrides of each run')
    .option('-o, --overrides <overrides...>', 'overrides, as AccelHydra takes them');
}

/** Accelerate's launch options. */
export function addLaunchOptions(command: Command): void {
  addProcessOptions(command);
  command
    .option('--main_process_port <port>', 'loopback port where the processes meet', portNumber)
    .option('--max_restarts <count>', 'restarts from the newest checkpoint after a failure', naturalNumber)
    .option('--name <name>', 'name of the run')
    .option('--detach', 'return as soon as the run has started');
}

/** Those of them that say on how many processes and devices. */
export function addProcessOptions(command: Command): void {
  command
    .option('--config_file <file>', 'accelerate launch file: processes, devices, precision')
    .addOption(new Option('--mixed_precision <kind>', 'precision').choices(['no', 'fp16', 'bf16']));
  addDeviceOptions(command);
}

/** On how many processes, with which devices and threads. */
export function addDeviceOptions(command: Command): Command {
  return command
    .option('--num_processes <count>', 'how many processes', positiveInteger)
    .option('--gpu_ids <list>', "'all', or indices: 0,1")
    .option('--use_cpu', 'no GPU')
    .addOption(new Option('--cpu', 'the same').hideHelp())
    .option('--num_cpu_threads_per_process <count>', 'threads of each process', positiveInteger);
}

/** The flags that say what `options` says, for the command line of another command. */
export function flagsOf(command: Command, options: object): string[] {
  return command.options.flatMap((option) => {
    const value: unknown = Reflect.get(options, option.attributeName());
    if (value === undefined || value === false) return [];
    return value === true ? [option.long ?? ''] : [`${option.long}=${String(value)}`];
  });
}

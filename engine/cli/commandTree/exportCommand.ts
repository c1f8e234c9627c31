import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ExportOptions } from '../commands/export.ts';
import type { Terminal } from '../ui/terminal.ts';
import type { Finish } from './finish.ts';
import { examples, positiveInteger } from './valueParsers.ts';

export function addExport(program: Command, terminal: Terminal, finish: Finish): void {
  program
    .command('export')
    .summary("write a checkpoint's model as a SavedModel")
    .description(
      "Write the call of a checkpoint's model as a TensorFlow SavedModel (signature serving_default, weights as constants), which Python's TensorFlow 2, TensorFlow Serving and converters load. It is loaded again and compared with the model.",
    )
    .argument('<checkpoint>', "a checkpoint's folder, a .safetensors file, or a run's folder for its best")
    .addOption(new Option('--format <format>', 'what to write').choices(['saved_model']).default('saved_model'))
    .option('--output <dir>', "folder of the model; export/CHECKPOINT in the run's folder by default")
    .option('--input_shape <sizes>', 'one sample, 28,28,1 say, where the model has no signature that tells', sizes)
    .addOption(new Option('--input_dtype <dtype>', 'type of the input').choices(['float32', 'int32']))
    .option('--batch_size <count>', 'exactly this many samples at once; any number by default', positiveInteger)
    .option('--no-ema', "the last step's weights, even where averages (trainer.ema) were kept")
    .option('--overwrite', 'replace a model that was exported there before')
    .option('--json', 'as JSON, for programs')
    .option('--project <dir>', 'project folder; found from here upwards by default')
    .addHelpText(
      'after',
      examples([
        ['accelhydra export experiments/digits --format saved_model', "the run's best checkpoint"],
        [
          'accelhydra export experiments/lm/checkpoints/epoch_2 --input_shape 64 --input_dtype int32',
          'a model of text',
        ],
        ['python -c "import tensorflow as tf; tf.saved_model.load(\'experiments/digits/export/best\')"', ''],
      ]),
    )
    .action(async (checkpoint: string, options: ExportOptions) => {
      const { exportCheckpoint } = await import('../commands/export.ts');
      finish(await exportCheckpoint(terminal, checkpoint, options));
    });
}

function sizes(text: string): number[] {
  const parts = text.split(',').map((part) => part.trim());
  if (parts.every((part) => /^[1-9]\d*$/.test(part))) return parts.map(Number);
  throw new InvalidArgumentError('It must be whole numbers above 0, joined by commas, without the batch: 28,28,1.');
}

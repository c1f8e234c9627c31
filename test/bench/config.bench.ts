import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type ComposeRequest, ConfigCache, compose, explainAll, parseOverride } from '../../engine/config/index.ts';
import { type Benchmark, type Contest, milliseconds } from './benchmark.ts';

const accelhydra = join(import.meta.dirname, '..', '..', 'engine', 'setup', 'bin.mjs');

/** A tree as projects have it: nested groups, packages, interpolations, an experiment that overrides. 20 files. */
const mlTree: Readonly<Record<string, string>> = {
  'basic.yaml': 'data_root: data\nseed: 42\n',
  'train.yaml':
    'defaults:\n  - basic\n  - model: classifier\n  - data@data_dict: mnist\n  - optimizer: adamw\n  - lr_scheduler: cosine\n  - loss@loss_fn: cross_entropy\n  - trainer: default\n  - logger: csv\n  - _self_\nexp_name: mnist\nexp_dir: experiments/${exp_name}\nepochs: 3\nepoch_length: null\ntrain_dataloader:\n  _target_: accelhydra.DataLoader\n  dataset: ${data_dict.train_data}\n  batch_size: 64\n  shuffle: true\nval_dataloader:\n  _target_: accelhydra.DataLoader\n  dataset: ${data_dict.val_data}\n  batch_size: 250\nwarmup_params: {warmup_steps: 100, warmup_epochs: null, epoch_length: "${epoch_length}"}\n',
  'model/classifier.yaml':
    'defaults:\n  - backbone: cnn\n  - head: linear\n  - _self_\n_target_: models.Classifier\nnum_classes: 10\ndropout: 0.2\n',
  'model/backbone/cnn.yaml': '_target_: models.CNN\nchannels: [16, 32, 64]\nout_features: 64\nimage_size: 28\n',
  'model/backbone/mlp.yaml': '_target_: models.MLP\nhidden: [128, 128]\nout_features: 64\n',
  'model/backbone/udit.yaml': 'defaults:\n  - cnn\n  - _self_\n_target_: models.UDiT\ndepth: 12\nheads: 8\n',
  'model/head/linear.yaml': '_target_: models.Linear\nin_features: ${..backbone.out_features}\n',
  'data/mnist.yaml':
    'defaults:\n  - datasets@mnist: mnist_digits\n  - _self_\ntrain_data: ${.mnist.train}\nval_data: ${.mnist.val}\n',
  'data/datasets/mnist_digits.yaml':
    'train: {_target_: datasets.digits, root: "${data_root}/mnist", split: train, val_samples: 1000}\nval: {_target_: datasets.digits, root: "${data_root}/mnist", split: val, val_samples: "${..train.val_samples}"}\n',
  'optimizer/adamw.yaml': '_target_: torch.optim.AdamW\nlr: !!float 1e-3\nweight_decay: 0.01\nbetas: [0.9, 0.999]\n',
  'optimizer/sgd.yaml': '_target_: torch.optim.SGD\nlr: 0.05\nmomentum: 0.9\nnesterov: true\n',
  'lr_scheduler/cosine.yaml': '_target_: transformers.get_scheduler\nname: cosine\n',
  'lr_scheduler/linear.yaml': '_target_: transformers.get_scheduler\nname: linear\n',
  'loss/cross_entropy.yaml': '_target_: torch.nn.CrossEntropyLoss\n',
  'loss/label_smoothing.yaml': '_target_: torch.nn.CrossEntropyLoss\nlabel_smoothing: 0.1\n',
  'trainer/default.yaml':
    '_target_: trainers.ClassifierTrainer\nproject_dir: ${exp_dir}\nepochs: ${epochs}\nepoch_length: ${epoch_length}\nmax_grad_norm: 1.0\nlog_every_n_steps: 10\nsave_last_k: 2\nmetric_monitor: {_target_: accelhydra.trainer.MetricMonitor, metric_name: accuracy, mode: max}\n',
  'logger/csv.yaml': 'kind: csv\npath: ${exp_dir}/log.csv\n',
  'logger/none.yaml': 'kind: none\n',
  'experiment/large.yaml':
    '# @package _global_\ndefaults:\n  - override /model/backbone: udit\n  - override /optimizer: sgd\n  - _self_\nexp_name: large\nepochs: 30\n',
  'experiment/small.yaml': '# @package _global_\nepochs: 1\n',
};

const mlOverrides = [
  '+experiment=large',
  'loss@loss_fn=label_smoothing',
  'lr_scheduler=linear',
  'optimizer.lr=3e-4',
  'model.backbone.depth=24',
  '+trainer.tags=[a,b,c]',
];

/** 300 files, all of which take part: 30 groups that include each nine more. */
function largeTree(): Record<string, string> {
  const files: Record<string, string> = {};
  const groups = Array.from({ length: 30 }, (_, index) => `group${index}`);
  const parts = Array.from({ length: 9 }, (_, index) => `part${index}`);
  for (const group of groups) {
    files[`${group}/main.yaml`] =
      `defaults:\n${parts.map((part) => `  - ${part}: one\n`).join('')}  - _self_\nname: ${group}\nsize: 3\n`;
    for (const part of parts)
      files[`${group}/${part}/one.yaml`] = `kind: ${part}\nvalues: [1, 2, 3]\nparent: \${..name}\n`;
  }
  files['train.yaml'] = `defaults:\n${groups.map((group) => `  - ${group}: main\n`).join('')}  - _self_\nseed: 1\n`;
  return files;
}

interface Tree {
  readonly folder: string;
  readonly searchPath: readonly string[];
}

/** Prepares a contest on real files, which are removed after it. */
function onFiles(
  files: Readonly<Record<string, string>>,
  contest: (tree: Tree) => Omit<Contest, 'dispose'>,
): () => Contest {
  return () => {
    const folder = mkdtempSync(join(tmpdir(), 'config-bench-'));
    const configDir = join(folder, 'configs');
    for (const [file, text] of Object.entries(files)) {
      const path = join(configDir, file);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    }
    const dispose = () => rmSync(folder, { recursive: true, force: true });
    return { ...contest({ folder, searchPath: [configDir] }), dispose };
  };
}

/** The same of the ML tree, by the request that composes it. */
function onMlTree(contest: (request: ComposeRequest) => Omit<Contest, 'dispose'>): () => Contest {
  return onFiles(mlTree, ({ searchPath }) =>
    contest({ searchPath, configName: 'train', overrides: mlOverrides, env: {} }),
  );
}

/** Milliseconds of one of `count` times. */
async function each(count: number, work: () => unknown): Promise<number> {
  return (await milliseconds(() => times(count, work))) / count;
}

/** Milliseconds of one of `count` compositions of real files, each checked for changes as always. */
function composing(
  name: string,
  metric: string,
  files: Readonly<Record<string, string>>,
  overrides: readonly string[],
  count: number,
): Benchmark {
  return {
    name,
    metric,
    unit: 'ms',
    rounds: 15,
    warmUps: 3,
    prepare: onFiles(files, ({ searchPath }) => {
      const request = { searchPath, configName: 'train', overrides, cache: new ConfigCache(), env: {} };
      return { ours: () => each(count, () => compose(request)) };
    }),
  };
}

/** Milliseconds of a process of Node. */
function node(cwd: string, ...args: string[]): Promise<number> {
  return milliseconds(() => {
    const { status, stderr } = spawnSync(process.execPath, args, { cwd });
    if (status !== 0) throw new Error(`node ${args.join(' ')} failed: ${stderr}`);
  });
}

function times(count: number, work: () => unknown): void {
  for (let index = 0; index < count; index++) work();
}

const simpleOverrides = Array.from({ length: 20_000 }, (_, index) =>
  index % 3 === 0
    ? `model.layer${index}.width=${index}`
    : index % 3 === 1
      ? `optimizer.lr=${index}e-6`
      : `group/sub${index}=option_${index}`,
);

export const benchmarks: readonly Benchmark[] = [
  composing('config-compose', '20-file ML tree with 6 overrides, warm, provenance on', mlTree, mlOverrides, 40),
  {
    name: 'config-provenance',
    metric: 'composing with origins and losers, against composing without',
    unit: 'ms',
    rounds: 41,
    warmUps: 5,
    prepare: onMlTree((request) => ({
      ours: () => each(20, () => compose({ ...request, provenance: true })),
      peer: () => each(20, () => compose({ ...request, provenance: false })),
    })),
  },
  composing('config-compose-large', '300-file tree, warm', largeTree(), ['seed=2'], 5),
  {
    name: 'config-explain',
    metric: 'composing with the explanation of every value at hand, against composing',
    unit: 'ms',
    rounds: 15,
    warmUps: 3,
    prepare: onMlTree((request) => ({
      ours: () => milliseconds(() => times(20, () => explainAll(compose(request)))),
      peer: () => milliseconds(() => times(20, () => compose(request))),
    })),
  },
  {
    name: 'config-explain-read',
    metric: 'composing and reading the explanation of every value, against composing',
    unit: 'ms',
    rounds: 15,
    warmUps: 3,
    prepare: onMlTree((request) => ({
      ours: () => milliseconds(() => times(20, () => JSON.stringify([...explainAll(compose(request)).values()]))),
      peer: () => milliseconds(() => times(20, () => compose(request))),
    })),
  },
  {
    name: 'config-cold',
    metric: 'process start to printed config, against an empty Node process',
    unit: 'ms',
    rounds: 9,
    prepare: onFiles(mlTree, ({ folder }) => ({
      ours: () => node(folder, accelhydra, 'train', '--cfg', 'job', ...mlOverrides),
      peer: () => node(folder, '-e', '0'),
    })),
  },
  {
    name: 'config-complete',
    metric: 'process start to completed options, against an empty Node process',
    unit: 'ms',
    rounds: 9,
    prepare: onFiles(mlTree, ({ folder }) => ({
      ours: () => node(folder, accelhydra, '__complete', 'zsh', 'train', 'optimizer.'),
      peer: () => node(folder, '-e', '0'),
    })),
  },
  {
    name: 'config-overrides',
    metric: 'simple overrides parsed',
    unit: 'overrides/s',
    rounds: 15,
    warmUps: 3,
    prepare: () => ({
      ours: async () => {
        const took = await milliseconds(() => {
          for (const text of simpleOverrides) parseOverride(text);
        });
        return simpleOverrides.length / (took / 1000);
      },
    }),
  },
];

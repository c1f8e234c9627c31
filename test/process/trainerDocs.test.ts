import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { initProject } from '../../engine/instantiate/index.ts';
import { type NodeResult, runNode } from '../support/runNode.ts';

const root = join(import.meta.dirname, '..', '..');
const text = ['trainer.md', 'models.md'].map((page) => readFileSync(join(root, 'docs', page), 'utf8')).join('\n');
const { resolve } = createRequire(join(root, 'package.json'));

interface Example {
  readonly file: string;
  readonly code: string;
  /** Lines that it must print. */
  readonly said: readonly string[];
}

const examples = [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = ''], index): Example => {
  const named = /^\/\/ (\w+\.ts)\n/.exec(code)?.[1];
  const said = [...code.matchAll(/\/\/ → (.*)$/gm)].map(([, line = '']) => line);
  return { file: named ?? `example${index}.ts`, code, said };
});
const run = examples.filter(({ said }) => said.length > 0);

/** Methods of a trainer that must not compile, by the error that TypeScript gives; `undefined`: it must. */
const hooks = [
  {
    id: 'all hooks as they are',
    error: undefined,
    code: 'override async on_train_start() {} override async on_train_end() {} override get_val_metrics() { return { loss: 1 }; }',
  },
  {
    id: 'an asynchronous training_step',
    error: 'TS2416',
    code: 'override async training_step([x]: Batch) { return x; }',
  },
  { id: 'a training_step that gives a number', error: 'TS2416', code: 'override training_step() { return 1; }' },
  {
    id: 'another batch than the type says',
    error: 'TS2416',
    code: 'override training_step(batch: string) { return tf.scalar(batch.length); }',
  },
  {
    id: 'a batch index of text',
    error: 'TS2416',
    code: 'override validation_step(batch: Batch, index: string) { this.print(index + batch.length); }',
  },
  {
    id: 'a hook that wants an argument',
    error: 'TS2416',
    code: 'override on_train_epoch_end(epoch: number) { this.print(`${epoch}`); }',
  },
  { id: 'a hook with a wrong name', error: 'TS4117', code: 'override on_train_begin() {}' },
  { id: 'a hook without override', error: 'TS4114', code: 'on_train_start() {}' },
  { id: 'metrics of text', error: 'TS2416', code: "override get_val_metrics() { return { loss: 'low' }; }" },
  {
    id: 'checkpoint_objects that cannot be loaded',
    error: 'TS2416',
    code: 'override get checkpoint_objects() { return [{ state_dict: () => 1 }]; }',
  },
  { id: 'logging text as a metric', error: 'TS2322', code: "override on_train_end() { this.log({ a: 'b' }); }" },
  { id: 'audio without a rate', error: 'TS2554', code: "override on_train_end() { this.log_audio('a', [1]); }" },
] as const;

const required = `
class Lacking extends Trainer<Batch> {
  training_step([x]: Batch) { return x; }
}`;

let folder: string;
let printed: readonly string[] = [];
let result: NodeResult;
let problems: readonly { readonly file: string; readonly line: number; readonly code: string }[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'accelhydra-trainer-docs-'));
  const addresses = {
    'accelhydra-studio': pathToFileURL(join(root, 'engine', 'index.ts')).href,
    '@tensorflow/tfjs': pathToFileURL(resolve('@tensorflow/tfjs')).href,
  };
  const located = (code: string) =>
    Object.entries(addresses).reduce(
      (all, [name, address]) => all.replaceAll(`from '${name}'`, `from '${address}'`),
      code,
    );
  for (const { file, code } of examples) writeFileSync(join(folder, file), located(code));
  const imports = run.map(({ file }) => `console.log('=== ${file}');\nawait import('./${file}');`);
  const begin = located("import * as tf from '@tensorflow/tfjs';\nawait tf.setBackend('cpu');\n");
  writeFileSync(join(folder, 'main.mjs'), `${begin}${imports.join('\n')}\n`);
  result = await runNode([join(folder, 'main.mjs')]);
  printed = result.stdout.split(/^=== .*\n/m).slice(1);
  problems = await compile();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Compiles the page's code and the wrong hooks in a project as `init` makes it, its own code along; gives every error. */
async function compile() {
  const sources = initProject(join(folder, 'project'), 'mnist').root;
  for (const { file, code } of examples) writeFileSync(join(sources, file), code);
  const head =
    "import * as tf from '@tensorflow/tfjs';\nimport { Trainer } from 'accelhydra-studio';\nimport { type Batch, LineTrainer } from './line.ts';\n";
  const classes = hooks.map(({ code }, index) => `export class Hook${index} extends LineTrainer { ${code} }`);
  writeFileSync(
    join(sources, 'hooks.ts'),
    `${head}${classes.join('\n')}\n${required.trim()}\nexport { Lacking, tf };\n`,
  );
  const { stdout } = await runNode(
    [join(root, 'node_modules/typescript/bin/tsc'), '-p', sources, '--pretty', 'false'],
    {
      cwd: sources,
      timeoutMs: 110_000,
    },
  );
  return [...stdout.matchAll(/^(\S+?)\((\d+),\d+\): error (TS\d+)/gm)].map(([, file = '', line, code = '']) => ({
    file: file.split('/').at(-1) ?? file,
    line: Number(line),
    code,
  }));
}

test('the pages have examples, and all of them ran to the end', () => {
  expect(run.length).toBeGreaterThan(8);
  expect([
    result.code,
    result.stderr.replaceAll(/^.*(Warning|node --trace|=====|Hi, looks|speed things).*\n?/gm, '').trim(),
  ]).toEqual([0, '']);
});

test.each(run.map((example, index) => ({ ...example, index })))('$file prints what it says', ({ said, index }) => {
  const lines = (printed[index] ?? '').split('\n').filter((line) => line !== '' && !/^=+$|Hi, looks like/.test(line));
  expect(lines).toEqual(said);
});

describe('types of hooks', () => {
  test('the pages and the project that init makes compile there', () => {
    expect(problems.filter(({ file }) => file !== 'hooks.ts')).toEqual([]);
  });

  test.each(hooks.map((hook, index) => ({ ...hook, line: index + 4 })))('$id', ({ error, line }) => {
    const found = problems.filter((problem) => problem.file === 'hooks.ts' && problem.line === line);
    expect(found.map(({ code }) => code)).toEqual(error === undefined ? [] : [error]);
  });

  test('a trainer without validation_step', () => {
    const found = problems.filter(({ file, line }) => file === 'hooks.ts' && line === hooks.length + 4);
    expect(found.map(({ code }) => code)).toEqual(['TS2515']);
  });
});

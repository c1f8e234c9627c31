// `npm run demo`: the whole path once, through the commands that anybody would type: composes the default config, trains the
// digit classifier on real MNIST digits on two processes, reloads the best checkpoint and tests it.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bootstrap, failSetup } from './bootstrap.mjs';
import { handOver } from './handOver.mjs';
import { root } from './paths.mjs';
import { SetupError } from './report.mjs';

const wantedAccuracy = 0.97;
const say = (text = '') => process.stdout.write(`${text}\n`);

/** A command, shown as a person would type it, run with this terminal. */
async function accelhydra(node, ...args) {
  say(`\n$ npx accelhydra ${args.join(' ')}`);
  const code = await handOver(node.path, [join(root, 'engine', 'setup', 'bin.mjs'), ...args]);
  if (code !== 0) throw new SetupError(`the demo ends here: 'accelhydra ${args[0]}' failed (exit code ${code}).`);
}

/** The number called `name` in the metrics that `infer` wrote below this folder. */
function readMetric(folder, name) {
  if (!existsSync(folder)) return undefined;
  const files = readdirSync(folder, { recursive: true }).filter((file) => file.endsWith('metrics.json'));
  for (const file of files) {
    const metrics = JSON.parse(readFileSync(join(folder, file), 'utf8'));
    const value = metrics[name] ?? metrics.metrics?.[name];
    if (typeof value === 'number') return value;
  }
  return undefined;
}

try {
  const { node } = await bootstrap();
  process.chdir(root);
  const stamp = new Date().toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-');
  const folder = `experiments/demo-${stamp}`;
  const started = Date.now();
  await accelhydra(
    node,
    'train',
    '--config_file',
    'configs/accelerate/2cpu.yaml',
    'exp_name=demo',
    `exp_dir=${folder}`,
  );
  await accelhydra(node, 'infer', `exp_dir=${folder}`, 'output_name=demo');
  const accuracy = readMetric(join(folder, 'inference'), 'accuracy');
  if (accuracy === undefined) throw new SetupError(`'accelhydra infer' left no accuracy below ${folder}/inference.`);

  say();
  say(
    `Test accuracy of the best checkpoint: ${(100 * accuracy).toFixed(2)} % (${Math.round((Date.now() - started) / 1000)} s in all)`,
  );
  say(`The run lies in ${folder}: its config with origins, checkpoints, metrics and logs.`);
  say('Try next:');
  say('  npm start                                              see the run, draw a digit for it');
  say('  npx accelhydra runs list                               what was trained here');
  say('  npx accelhydra train model/backbone=mlp epochs=2       another backbone');
  say('  npx accelhydra why optimizer.lr                        where a value comes from');
  if (accuracy < wantedAccuracy) throw new SetupError(`the accuracy should be at least ${100 * wantedAccuracy} %.`);
} catch (error) {
  failSetup(error, 'demo');
}

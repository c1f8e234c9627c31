// One TypeScript side of the training benchmark: `node trainingSide.ts SIDE MODEL THREADS`. See sideProcess.ts for what it says.
import { loadBackend, tensorflowObstacle } from '../../../engine/backend/index.ts';
import { handWritten, modelFit } from './plainSides.ts';
import { say, serveSlices } from './slices.ts';
import { type ModelName, modelNames } from './tasks.ts';
import { serveOverhead, serveTrainer } from './trainerSide.ts';

const [side = '', name = '', threads = '1', stretch = '1'] = process.argv.slice(2);
const obstacle = tensorflowObstacle();
if (obstacle !== undefined) {
  say(`missing native TensorFlow: ${obstacle}`);
} else {
  await loadBackend({ threads: Number(threads), interOpThreads: 1 });
  await serve(side, asModel(name));
}

async function serve(which: string, model: ModelName): Promise<void> {
  switch (which) {
    case 'loop':
      return serveSlices(handWritten(model));
    case 'fit':
      return serveSlices(modelFit(model));
    case 'eager':
    case 'compiled':
      return serveTrainer(model, which, Number(stretch));
    case 'overhead':
      return serveOverhead(model, Number(stretch));
    default:
      throw new Error(`no side '${which}'`);
  }
}

function asModel(text: string): ModelName {
  const found = modelNames.find((known) => known === text);
  if (found === undefined) throw new Error(`no model '${text}'`);
  return found;
}

// Graphs that TensorFlow refuses or cannot run: steps stay eager, whoever runs the graphs.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { NativeSessions } from '../../../engine/backend/graph/index.ts';
import { loadBackend, type NativeBinding, tensorflowObstacle } from '../../../engine/backend/index.ts';
import { readSetup } from '../../../engine/backend/setupRecord.ts';
import { withLibrary } from '../../support/nativeLibrary.ts';
import { expectSame, type Outcome, perceptron, train, Waves, withBinding } from './compiledSupport.ts';

const missing = tensorflowObstacle();
const numbers = (length = 16) => new Waves(length, [3], 'number');

describe.skipIf(missing)(`graphs that do not run${missing ? ` (${missing})` : ''}`, () => {
  beforeAll(async () => {
    await loadBackend({ backend: 'tensorflow', threads: 1, interOpThreads: 1 });
  });

  const failures: {
    readonly id: string;
    readonly changes: (binding: NativeBinding) => Partial<NativeBinding>;
    /** The same where the library of our own runs graphs. */
    readonly library: (library: NativeSessions) => Partial<NativeSessions>;
    readonly says: RegExp;
  }[] = [
    {
      id: 'a graph does not load',
      changes: () => ({
        loadSavedModel: () => {
          throw new Error('no space left on device');
        },
      }),
      library: () => ({
        open: () => {
          throw new Error('no space left on device');
        },
      }),
      says: /does not take its graph \(no space left on device\)/,
    },
    {
      id: 'TensorFlow knows an operation by another name in graphs',
      changes: (binding) => ({
        loadSavedModel: (folder, tags) => {
          const file = join(folder, 'saved_model.pb');
          writeFileSync(file, Buffer.from(readFileSync(file).toString('latin1').replaceAll('Tanh', 'Tanj'), 'latin1'));
          return binding.loadSavedModel(folder, tags);
        },
      }),
      library: (library) => ({
        open: (graph) =>
          library.open(Buffer.from(Buffer.from(graph).toString('latin1').replaceAll('Tanh', 'Tanj'), 'latin1')),
      }),
      says: /does not take its graph \(.*Op type not registered 'Tanj'/,
    },
    {
      id: 'a graph fails while it runs',
      changes: (binding) => {
        let calls = 0;
        return {
          runSavedModel: (...call) => {
            if (++calls === 5) throw new Error('the device is gone');
            return binding.runSavedModel(...call);
          },
        };
      },
      library: (library) => {
        let calls = 0;
        return {
          run: (...call) => {
            // the first look at the loss comes before it; later steps are not waited for
            if (++calls === 2) throw new Error('the device is gone');
            return library.run(...call);
          },
        };
      },
      says: /the graph failed where single operations did not \(the device is gone\)/,
    },
  ];
  const runners = readSetup()?.tensorflow.kernels?.built ? (['binding', 'library'] as const) : (['binding'] as const);
  describe.each(runners)('graphs run by the %s', (by) => {
    test.each(failures)('stays eager and says so once: $id', async ({ changes, library, says }) => {
      const failing = (compile: boolean | 'auto'): Promise<Outcome> => {
        const work = () => train({ ...run, compile });
        if (by === 'library') return withLibrary(library, work);
        return withLibrary(
          () => undefined,
          () => withBinding(changes, work),
        );
      };
      const run = { model: perceptron, data: numbers() } as const;
      const eager = await train({ ...run, compile: false });
      const outcome = await failing('auto');
      expectSame(outcome, eager);
      const said = outcome.texts.filter((text) => text.includes('as one graph'));
      expect(said).toEqual([expect.stringMatching(says)]);
      await expect(failing(true)).rejects.toMatchObject({ code: 'trainer.compile' });
    });
  });
});

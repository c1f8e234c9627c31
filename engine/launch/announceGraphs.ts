import type { CompileListener } from '../trainer/index.ts';

/**
 * Says once that training steps run as a graph, so that the log tells how a run trained. Graphs for batches of other shapes
 * follow without a word; the trainer itself says why a step stays eager.
 */
export function announceGraphs(say: (text: string) => void): CompileListener {
  let isSaid = false;
  return {
    compiled: ({ operations, isHost, hostWhy, milliseconds }) => {
      if (isSaid) return;
      isSaid = true;
      const why = hostWhy === undefined ? '' : ` since ${hostWhy}`;
      const beside = isHost ? `, with its JavaScript run beside it${why}` : '';
      say(
        `training_step runs as one TensorFlow graph of ${operations} operations${beside} (made in ${(milliseconds / 1000).toFixed(2)} s).`,
      );
    },
    refused: () => undefined,
  };
}

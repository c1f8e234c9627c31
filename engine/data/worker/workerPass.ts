import { EngineError } from '../../api/errors.ts';

export interface WorkerPassOptions<Item> {
  readonly start: number;
  /** Infinity when only the data knows where it ends. */
  readonly end: number;
  /** Most batches asked for and not used yet: what bounds the memory of reading ahead. */
  readonly limit: number;
  /** Seconds to wait for a batch, 0 for ever. */
  readonly timeout: number;
  /** Undefined after the last batch. */
  ask(index: number): Promise<Item | undefined>;
}

/**
 * Gives the answers in the order of their numbers, however the threads finish. At most `limit` are under way or waiting
 * to be used; an error is told when its batch's turn comes.
 */
export async function* workerPass<Item>(options: WorkerPassOptions<Item>): AsyncGenerator<Item, void, undefined> {
  const { end, limit, timeout } = options;
  const asked: Promise<Item | undefined>[] = [];
  let next = options.start;
  const askAhead = (most: number): void => {
    while (asked.length < most && next < end) {
      const answer = options.ask(next++);
      // told when its turn comes; until then nobody handles it, which must not end the process
      answer.catch(() => undefined);
      asked.push(answer);
    }
  };
  askAhead(limit);
  for (let index = options.start; index < end; index++) {
    const answer = asked[0];
    if (answer === undefined) return;
    const item = await within(timeout, answer, index);
    asked.shift();
    if (item === undefined) return;
    askAhead(limit);
    yield item;
  }
}

async function within<T>(seconds: number, answer: Promise<T>, index: number): Promise<T> {
  if (seconds === 0) return answer;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(
        new EngineError(
          'data.worker.timeout',
          `Batch ${index} did not come from the worker threads within ${seconds} s (timeout). Reading a sample hangs, or is slower than that.`,
          { index, timeout: seconds },
        ),
      );
    }, seconds * 1000);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

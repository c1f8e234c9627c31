/**
 * Gives a function that asks for `work`: it runs at once, and once more for all that was asked while it ran. Between two
 * runs it rests at least `ms`, and `rest` times as long as the last one took, so that work that is slow here (a busy
 * machine, many charts) never takes more than 1/(1 + rest) of the time.
 */
export function pace(work: () => Promise<void>, ms: number, rest: number): () => void {
  let isBusy = false;
  let isWanted = false;
  return async function ask(): Promise<void> {
    isWanted = true;
    if (isBusy) return;
    isBusy = true;
    try {
      while (isWanted) {
        isWanted = false;
        const began = performance.now();
        await work();
        const took = performance.now() - began;
        await new Promise((resolve) => setTimeout(resolve, Math.max(ms, rest * took)));
      }
    } finally {
      // work that failed must not be the last
      isBusy = false;
    }
  };
}

/**
 * Runs at most one request of a kind: starting the next one aborts the one before, so that the latest always wins and a
 * slow old answer can never overwrite a newer one.
 */
export class Latest {
  #controller: AbortController | undefined;

  async run<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
    this.#controller?.abort();
    const controller = new AbortController();
    this.#controller = controller;
    try {
      const result = await work(controller.signal);
      return controller.signal.aborted ? undefined : result;
    } catch (error) {
      if (controller.signal.aborted) return undefined;
      throw error;
    }
  }

  cancel(): void {
    this.#controller?.abort();
  }
}

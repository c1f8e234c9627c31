// Short progress lines: one when a step that takes time starts, one when it ended, a sign of life in between.

const heartbeatMs = 20_000;

/**
 * @param {{ quiet?: boolean, stream?: NodeJS.WritableStream }} [options]
 */
export function createReport(options = {}) {
  const stream = options.stream ?? process.stdout;
  const steps = [];
  const line = (text) => {
    if (!options.quiet) stream.write(`setup: ${text}\n`);
  };
  return {
    line,
    steps,
    /** Runs one step that takes time and records its outcome; the step's own result says whether it worked and how. */
    async step(name, title, work) {
      line(`${title} …`);
      const started = Date.now();
      const seconds = () => Math.round((Date.now() - started) / 100) / 10;
      const heartbeat = setInterval(() => line(`${name}: still at it (${Math.round(seconds())} s)`), heartbeatMs);
      try {
        const { outcome, detail, ...rest } = await work();
        steps.push({ name, outcome, detail, seconds: seconds() });
        line(`${name}: ${outcome === 'done' ? '' : `${outcome}: `}${detail} (${seconds()} s)`);
        return { outcome, detail, ...rest };
      } finally {
        clearInterval(heartbeat);
      }
    },
    /** Records a step that had nothing to do, without a line. */
    skip(name, detail) {
      steps.push({ name, outcome: 'skipped', detail, seconds: 0 });
    },
  };
}

/** A failure a person can act on: printed as one line, without a stack. */
export class SetupError extends Error {}

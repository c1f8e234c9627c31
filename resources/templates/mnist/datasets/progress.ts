/** Told how much of something is done, from 0 to 1. */
export type Progress = (fraction: number) => void;

const BAR_CELLS = 24;

/** A bar that draws over itself on a terminal; elsewhere (a log) a line at each quarter. */
export function printProgress(label: string, stream: NodeJS.WriteStream = process.stderr): Progress {
  let shown = -1;
  return (fraction) => {
    const step = Math.floor(fraction * (stream.isTTY ? 100 : 4));
    if (step === shown) return;
    shown = step;
    const percent = `${String(Math.round(fraction * 100)).padStart(3)} %`;
    if (!stream.isTTY) {
      stream.write(`${label}: ${percent}\n`);
      return;
    }
    const cells = Math.round(fraction * BAR_CELLS);
    const bar = '█'.repeat(cells) + '░'.repeat(BAR_CELLS - cells);
    stream.write(`\r${label} ${bar} ${percent}${fraction >= 1 ? '\n' : ''}`);
  };
}

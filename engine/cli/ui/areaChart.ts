const eighths = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

export interface AreaChart {
  /** In drawing order; equal lengths. */
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
  /** Characters of the area, without the labels. */
  readonly width: number;
  readonly height: number;
  readonly formatX: (value: number) => string;
  readonly formatY: (value: number) => string;
}

/** A filled curve in block characters over zero, the highest value and the range of x beside it. */
export function areaChart({ x, y, width, height, formatX, formatY }: AreaChart): string {
  const columns = columnsOf(x, y, width);
  const top = Math.max(...columns, Number.MIN_VALUE);
  const labels = [formatY(top), formatY(0)];
  const margin = Math.max(...labels.map((label) => label.length));
  const rows = Array.from({ length: height }, (_, row) => {
    const label = row === 0 ? labels[0] : row === height - 1 ? labels[1] : '';
    const cells = columns.map((value) => {
      const filled = Math.round((value / top) * height * 8) - (height - 1 - row) * 8;
      return eighths[Math.min(8, Math.max(0, filled))];
    });
    return `${(label ?? '').padStart(margin)} ┤${cells.join('')}`.trimEnd();
  });
  const [first, last] = [formatX(x[0] ?? 0), formatX(x[x.length - 1] ?? 0)];
  const gap = ' '.repeat(Math.max(1, width - first.length - last.length));
  return [...rows, `${' '.repeat(margin + 2)}${first}${gap}${last}`].join('\n');
}

/** The highest value within each column's stretch of x; a column without a point goes on as the one before. */
function columnsOf(x: ArrayLike<number>, y: ArrayLike<number>, width: number): number[] {
  const [from, to] = [x[0] ?? 0, x[x.length - 1] ?? 0];
  const columns: (number | undefined)[] = Array.from({ length: width }, () => undefined);
  for (let index = 0; index < x.length; index++) {
    const share = to > from ? ((x[index] ?? 0) - from) / (to - from) : 0;
    const column = Math.min(width - 1, Math.floor(share * width));
    columns[column] = Math.max(columns[column] ?? Number.NEGATIVE_INFINITY, y[index] ?? 0);
  }
  let before = 0;
  return columns.map((value) => {
    before = value ?? before;
    return before;
  });
}

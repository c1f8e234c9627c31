const blockLength = 4096;
const block = new Float64Array(blockLength);

/**
 * Sum (or mean) of equally long arrays into `target`, which may be one of them. The parts are added in the order given,
 * in double precision, and rounded to float32 once: the same order gives the same bits everywhere.
 */
export function reduceInOrder(target: Float32Array, parts: readonly Float32Array[], operation: 'sum' | 'mean'): void {
  const divisor = operation === 'mean' ? parts.length : 1;
  const [first, second] = parts;
  if (first === undefined) return;
  if (second !== undefined && parts.length === 2) {
    if (divisor === 1) for (let i = 0; i < target.length; i++) target[i] = (first[i] ?? 0) + (second[i] ?? 0);
    else for (let i = 0; i < target.length; i++) target[i] = ((first[i] ?? 0) + (second[i] ?? 0)) / 2;
    return;
  }
  for (let start = 0; start < target.length; start += blockLength) {
    const length = Math.min(blockLength, target.length - start);
    for (let i = 0; i < length; i++) block[i] = first[start + i] ?? 0;
    for (let part = 1; part < parts.length; part++) {
      const values = parts[part] ?? first;
      for (let i = 0; i < length; i++) block[i] = (block[i] ?? 0) + (values[start + i] ?? 0);
    }
    for (let i = 0; i < length; i++) target[start + i] = (block[i] ?? 0) / divisor;
  }
}

/** Where rank `rank`'s share of `length` values begins and ends when `worldSize` ranks divide it. */
export function shareOf(
  length: number,
  rank: number,
  worldSize: number,
): { readonly start: number; readonly end: number } {
  return {
    start: Math.floor((length * rank) / worldSize),
    end: Math.floor((length * (rank + 1)) / worldSize),
  };
}

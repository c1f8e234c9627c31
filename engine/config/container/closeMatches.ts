/** Python's difflib.get_close_matches: at most three of the candidates, the most similar first. */
export function closeMatches(wanted: string, candidates: Iterable<string>): string[] {
  const scored: { readonly candidate: string; readonly ratio: number }[] = [];
  for (const candidate of candidates) {
    const ratio = similarity(candidate, wanted);
    if (ratio >= 0.6) scored.push({ candidate, ratio });
  }
  // Equally similar ones come in reverse order of their text, as tuples compare in Python.
  scored.sort((a, b) => b.ratio - a.ratio || (a.candidate < b.candidate ? 1 : -1));
  return scored.slice(0, 3).map(({ candidate }) => candidate);
}

/** OmegaConf's hint behind "Key 'x' is not in struct". */
export function closeMatchHint(wanted: string, candidates: Iterable<string>): string {
  const matches = closeMatches(wanted, candidates).map((match) => `'${match}'`);
  if (matches.length === 0) return '';
  return `. Did you mean${matches.length === 1 ? '' : ' one of'}: ${matches.join(', ')}?`;
}

/** Twice the number of characters in common blocks (Ratcliff and Obershelp), relative to both lengths. */
function similarity(a: string, b: string): number {
  const left = [...a];
  const right = [...b];
  const length = left.length + right.length;
  return length === 0 ? 1 : (2 * commonLength(left, right, 0, left.length, 0, right.length)) / length;
}

function commonLength(a: string[], b: string[], aStart: number, aEnd: number, bStart: number, bEnd: number): number {
  let [bestA, bestB, best] = [aStart, bStart, 0];
  let lengths = new Map<number, number>();
  for (let i = aStart; i < aEnd; i++) {
    const next = new Map<number, number>();
    for (let j = bStart; j < bEnd; j++) {
      if (a[i] !== b[j]) continue;
      const length = (lengths.get(j - 1) ?? 0) + 1;
      next.set(j, length);
      if (length > best) [bestA, bestB, best] = [i - length + 1, j - length + 1, length];
    }
    lengths = next;
  }
  if (best === 0) return 0;
  return (
    best + commonLength(a, b, aStart, bestA, bStart, bestB) + commonLength(a, b, bestA + best, aEnd, bestB + best, bEnd)
  );
}

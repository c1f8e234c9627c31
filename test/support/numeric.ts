import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Recorded results, one case a line; each has an `id`. Recorded from PyTorch 2.13 and transformers 5.18. */
export function numericCases<T extends { readonly id: string }>(file: string): T[] {
  return JSON.parse(readFileSync(join(import.meta.dirname, '..', 'fixtures', 'numeric', file), 'utf8'));
}

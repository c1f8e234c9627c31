import { relative } from 'node:path';
import { userFrame } from '../../instantiate/userFrame.ts';

/** The user's line in an error's stack, as short as it can be written: `models/cnn.ts:12`. */
export function placeOf(at: unknown, caller?: string): string | undefined {
  const frame = userFrame(at, caller);
  if (frame === undefined) return undefined;
  const near = relative(process.cwd(), frame.file);
  return `${near.startsWith('..') ? frame.file : near}:${frame.line}`;
}

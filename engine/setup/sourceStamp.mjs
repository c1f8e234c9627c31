// A fingerprint of sources, so that a build whose sources did not change is not done again.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';

/**
 * Hash of the names and contents of all files in these files and folders.
 * @param {readonly string[]} places relative to the package
 */
export function sourceStamp(places) {
  const hash = createHash('sha256');
  for (const file of places.flatMap((place) => filesOf(place)).sort()) {
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(root, file)))
      .update('\0');
  }
  return hash.digest('hex');
}

function filesOf(place) {
  const status = statSync(join(root, place), { throwIfNoEntry: false });
  if (status === undefined) return [];
  if (status.isFile()) return [place];
  return readdirSync(join(root, place)).flatMap((name) => filesOf(join(place, name)));
}

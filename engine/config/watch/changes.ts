import { fullKeyOf } from '../container/fullKey.ts';
import { leavesOf, shortText } from '../explain/explain.ts';
import { sameConfig } from '../inverse/equality.ts';
import type { DictNode } from '../node/node.ts';

/** A leaf that came, went or got another value; the values in short, as overrides would write them. */
export interface ConfigChange {
  readonly kind: 'added' | 'changed' | 'removed';
  readonly path: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** What differs between two configs, leaf by leaf, in the order of the new one; what went comes last. */
export function configChanges(before: DictNode, after: DictNode): readonly ConfigChange[] {
  const old = new Map([...leavesOf(before)].map((leaf) => [fullKeyOf(leaf), leaf]));
  const changes: ConfigChange[] = [];
  for (const leaf of leavesOf(after)) {
    const path = fullKeyOf(leaf);
    const previous = old.get(path);
    old.delete(path);
    if (previous === undefined) changes.push({ kind: 'added', path, before: undefined, after: shortText(leaf) });
    else if (!sameConfig(previous, leaf)) {
      changes.push({ kind: 'changed', path, before: shortText(previous), after: shortText(leaf) });
    }
  }
  for (const [path, leaf] of old) changes.push({ kind: 'removed', path, before: shortText(leaf), after: undefined });
  return changes;
}

import type { GlobSweep, OverrideValue } from './types.ts';

/** The names that an include pattern matches and no exclude pattern does, in their order. */
export function globFilter(names: readonly string[], glob: GlobSweep): readonly string[] {
  const include = glob.include.map(patternOf);
  const exclude = glob.exclude.map(patternOf);
  return names.filter(
    (name) => include.some((pattern) => pattern.test(name)) && !exclude.some((pattern) => pattern.test(name)),
  );
}

function patternOf(value: OverrideValue): RegExp {
  const text = 'value' in value ? String(value.value) : '';
  return globPattern(text);
}

/** A shell pattern (`*`, `?`, `[abc]`, `[!abc]`) as an expression over the whole name, as Python's fnmatch reads it. */
function globPattern(pattern: string): RegExp {
  let source = '';
  for (let place = 0; place < pattern.length; place++) {
    const character = pattern[place] ?? '';
    if (character === '*') source += '.*';
    else if (character === '?') source += '.';
    else if (character === '[') {
      const close = classEnd(pattern, place);
      if (close === -1) source += '\\[';
      else {
        source += characterClass(pattern.slice(place + 1, close));
        place = close;
      }
    } else source += character.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&');
  }
  return new RegExp(`^(?:${source})$`, 's');
}

/** The `]` that ends a class: one right after `[` or `[!` belongs to the class. */
function classEnd(pattern: string, open: number): number {
  let place = open + 1;
  if (pattern[place] === '!') place++;
  if (pattern[place] === ']') place++;
  return pattern.indexOf(']', place);
}

function characterClass(inner: string): string {
  const negated = inner.startsWith('!');
  const body = (negated ? inner.slice(1) : inner).replace(/[\\[\]^]/g, '\\$&');
  return `[${negated ? '^' : ''}${body}]`;
}

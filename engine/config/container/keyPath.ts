const ESCAPABLE = new Set(['.', '[', ']', '=']);

/**
 * The parts of a dotted path: `a.b`, `a[b]` and `[a].b` are all `a` and `b`. A backslash takes the special meaning from
 * `.`, `[`, `]` and `=`; before anything else it stands for itself. An unclosed bracket ends the path.
 */
export function splitKeyPath(path: string): string[] {
  return path.includes('\\') ? splitEscaped(path) : splitPlain(path);
}

function splitPlain(path: string): string[] {
  const head = /^\.*[^.[]*/.exec(path)?.[0] ?? '';
  const parts = head.split('.');
  if (head.length === path.length) return parts;
  if (path[head.length] === '[' && parts.at(-1) === '') parts.pop();
  for (const [, dotted, bracketed] of path.slice(head.length).matchAll(/\.([^.[]*)|\[(.*?)\]/g)) {
    parts.push(dotted || bracketed || '');
  }
  return parts;
}

function splitEscaped(path: string): string[] {
  const parts: string[] = [];
  let at = 0;
  const readUntil = (stops: string): string => {
    let part = '';
    for (; at < path.length; at++) {
      const character = path[at] ?? '';
      if (stops.includes(character)) break;
      const next = path[at + 1];
      if (character === '\\' && next !== undefined && ESCAPABLE.has(next)) {
        part += next;
        at += 1;
      } else {
        part += character;
      }
    }
    return part;
  };
  if (path[0] !== '[') parts.push(readUntil('.['));
  while (at < path.length) {
    const isBracket = path[at] === '[';
    at += 1;
    const part = readUntil(isBracket ? ']' : '.[');
    if (isBracket && at >= path.length) break;
    if (isBracket) at += 1;
    parts.push(part);
  }
  return parts;
}

/**
 * Whether a training_step makes use of its second parameter, batch_idx. Told from its text: a step that only names the
 * parameter, as the hook's signature has it, need not run again for every number.
 */
export function usesIndex(step: (...parameters: never[]) => unknown): boolean {
  const text = step.toString();
  const parameters = parametersOf(text);
  if (parameters === undefined) return true;
  if (parameters.length < 2) return /\.\.\.|\barguments\b/.test(text);
  const name = /^[A-Za-z_$][\w$]*$/.exec(parameters[1]?.trim() ?? '')?.[0];
  if (name === undefined || parameters.length > 2) return true;
  const mentions = text.match(new RegExp(`(?<![\\w$.])${name.replaceAll('$', '\\$')}(?![\\w$])`, 'g')) ?? [];
  return mentions.length > 1 || /\barguments\b|\beval\b/.test(text);
}

/** The texts between the outermost commas of a function's first pair of parentheses. */
function parametersOf(text: string): string[] | undefined {
  const start = text.indexOf('(');
  if (start < 0) return undefined;
  const parts: string[] = [];
  let depth = 0;
  let begin = start + 1;
  for (let i = start; i < text.length; i++) {
    const letter = text[i] ?? '';
    if ('([{'.includes(letter)) depth++;
    else if (')]}'.includes(letter) && --depth === 0) {
      const last = text.slice(begin, i);
      return last.trim() === '' ? parts : [...parts, last];
    } else if (letter === ',' && depth === 1) {
      parts.push(text.slice(begin, i));
      begin = i + 1;
    }
  }
  return undefined;
}

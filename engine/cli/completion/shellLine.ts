/** The words of a line up to the cursor as a POSIX shell splits them; the last one is being typed and may be empty. */
export function splitLine(line: string): string[] {
  const words: string[] = [];
  let word = '';
  let quote = '';
  for (let index = 0; index < line.length; index++) {
    const character = line.charAt(index);
    if (quote !== '') {
      if (character === quote) quote = '';
      else if (character === '\\' && quote === '"') word += line.charAt(++index);
      else word += character;
    } else if (character === "'" || character === '"') quote = character;
    else if (character === '\\') word += line.charAt(++index);
    else if (/\s/.test(character)) {
      if (word !== '') words.push(word);
      word = '';
    } else word += character;
  }
  return [...words, word];
}

/** How much of the current word bash regards as done: everything up to its last word break. */
export function bashCut(word: string, breaks: string): number {
  let cut = 0;
  for (let index = 0; index < word.length; index++) {
    if (breaks.includes(word.charAt(index))) cut = index + 1;
  }
  return cut;
}

import { expect, test } from 'vitest';
import { bashCut, splitLine } from '../../../engine/cli/completion/shellLine.ts';

test.each([
  { id: 'a word being typed', line: 'accelhydra tr', words: ['accelhydra', 'tr'] },
  { id: 'a new word', line: 'accelhydra train ', words: ['accelhydra', 'train', ''] },
  { id: 'quotes', line: `a 'b c' "d \\" e" f`, words: ['a', 'b c', 'd " e', 'f'] },
  { id: 'an open quote', line: `a 'b c`, words: ['a', 'b c'] },
  { id: 'escapes', line: 'a b\\ c', words: ['a', 'b c'] },
])('a line with $id', ({ line, words }) => {
  expect(splitLine(line)).toEqual(words);
});

test.each([
  { word: 'model/backbone=cn', cut: 15 },
  { word: 'data@data_dict=mn', cut: 15 },
  { word: 'optimizer.', cut: 0 },
])('bash regards the first $cut characters of $word as done', ({ word, cut }) => {
  expect(bashCut(word, ' \t\n"\'@><=;|&(:')).toBe(cut);
});

import { expect, test } from 'vitest';
import { parseTensor } from '../../../renderer/lib/tensorText.ts';

test.each([
  { id: 'a row fills the shape', text: '1, 2  3\n4;5 6', shape: [null, 2, 3], gives: [1, 2, 3] },
  { id: 'a row of two samples', text: '1 2 3 4', shape: [null, 2], gives: [2, 2] },
  { id: 'a row where two sizes are open is one sample', text: '1 2 3 4', shape: [null, null, 2], gives: [1, 2, 2] },
  { id: 'one list is a row', text: '[1, 2, 3, 4]', shape: [null, 2, 2], gives: [1, 2, 2] },
  { id: 'nested lists', text: '[[1, 2], [3, 4]]', shape: [null, 2], gives: [2, 2] },
  { id: 'nested lists of one sample', text: '[[1, 2], [3, 4]]', shape: [null, 2, 2], gives: [1, 2, 2] },
  { id: 'numbers alone', text: '1 2', shape: [null], gives: [2] },
])('$id', ({ text, shape, gives }) => {
  const tensor = parseTensor(text, shape);
  expect(tensor.shape).toEqual(gives);
  expect([...tensor.values]).toEqual(Array.from(tensor.values, (_, index) => index + 1));
});

test.each([
  { id: 'nothing', text: ' ', shape: [null, 2], says: 'at least one number' },
  { id: 'a word', text: '1, two', shape: [null, 2], says: "'two' is no number" },
  { id: 'a wrong count', text: '1 2 3', shape: [null, 2], says: 'takes [?, 2], 2 numbers or a multiple; these are 3' },
  {
    id: 'a wrong count where all is fixed',
    text: '1 2 3 4',
    shape: [1, 2],
    says: 'takes [1, 2], 2 numbers; these are 4',
  },
  { id: 'another shape', text: '[[1, 2, 3]]', shape: [null, 2], says: 'takes [?, 2]; these numbers are [1, 3]' },
  { id: 'uneven lists', text: '[[1, 2], [3]]', shape: [null, 2], says: 'different lengths: 2 and 1' },
  { id: 'numbers beside lists', text: '[1, [2]]', shape: [null, 2], says: 'all of them alike' },
  { id: 'half a list', text: '[[1, 2]', shape: [null, 2], says: 'no JSON' },
  { id: 'too much left open', text: '1 2 3', shape: [null, null, null], says: 'write nested lists' },
])('$id is told', ({ text, shape, says }) => {
  expect(() => parseTensor(text, shape)).toThrow(says);
});

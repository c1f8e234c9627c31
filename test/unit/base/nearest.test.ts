import { expect, test } from 'vitest';
import { didYouMean, nearest } from '../../../engine/base/nearest.ts';

test.each([
  { id: 'a swapped letter', wanted: 'optimzier', candidates: ['optimizer', 'model'], found: 'optimizer' },
  { id: 'a missing letter', wanted: 'optimzer', candidates: ['optimizer', 'model'], found: 'optimizer' },
  { id: 'another case', wanted: 'ADAM', candidates: ['adam', 'sgd'], found: 'adam' },
  { id: 'the nearer of two', wanted: 'epoch', candidates: ['epochs', 'epoch_length'], found: 'epochs' },
  { id: 'nothing near', wanted: 'zebra', candidates: ['optimizer'], found: undefined },
  { id: 'no candidates', wanted: 'x', candidates: [], found: undefined },
])('nearest: $id', ({ wanted, candidates, found }) => {
  expect(nearest(wanted, candidates)).toBe(found);
});

test('the hint is a sentence or nothing', () => {
  expect(didYouMean('modle', ['model'])).toBe(" Did you mean 'model'?");
  expect(didYouMean('zebra', ['model'])).toBe('');
});

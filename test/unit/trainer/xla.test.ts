import { expect, test } from 'vitest';
import { checkXla } from '../../../engine/trainer/compile/xla.ts';

const binding = (answer: string) => ({
  TF_Version: '2.99.0',
  executeOp: () => {
    throw new Error(answer);
  },
});

test('a TensorFlow with XLA refuses its operation for what it lacks; that counts as having it', () => {
  checkXla(binding("No attr named 'Tconstants' in NodeDef"));
});

test.each([
  "'XlaLaunch' is neither a type of a primitive operation nor a name of a function registered in binary running on vm",
  "Op type not registered 'XlaLaunch' in binary running on vm",
])('compile_xla is refused where the operation is not there: %s', (answer) => {
  expect(() => checkXla(binding(answer))).toThrow(/built with XLA, and TensorFlow 2\.99\.0 has none/);
});

test('compile_xla is refused on other backends', () => {
  expect(() => checkXla(undefined)).toThrow('the native TensorFlow backend is not in use');
});

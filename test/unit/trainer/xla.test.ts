import { expect, test } from 'vitest';
import { checkXla } from '../../../engine/trainer/compile/xla.ts';
import { readCompiling } from '../../../engine/trainer/settingSections.ts';

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

test('compile_xla without graphs is told with both keys', () => {
  const both = () => readCompiling('Trainer', false, true);
  expect(both).toThrow(/'compile_xla' is true and compile is false.*Set compile to auto, or leave compile_xla out/);
  expect(readCompiling('Trainer', null, true)).toEqual({ compile: 'auto', compile_xla: true });
  expect(readCompiling('Trainer', false, null)).toEqual({ compile: false, compile_xla: false });
});

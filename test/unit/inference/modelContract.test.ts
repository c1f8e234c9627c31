import { describe, expect, test } from 'vitest';
import type { ModelSignature } from '../../../engine/api/inferenceModel.ts';
import { readArguments, readSignature } from '../../../engine/inference/modelContract.ts';

const signature: ModelSignature = {
  input: { type: 'text' },
  output: { type: 'text' },
  arguments: [
    { name: 'length', type: 'integer', default: 10, minimum: 1, maximum: 100 },
    { name: 'temperature', type: 'number', default: 0.5, minimum: 0 },
    { name: 'greedy', type: 'boolean', default: false },
  ],
};

describe('arguments', () => {
  test('have defaults', () => {
    expect(readArguments(signature, { length: 3 })).toEqual({ length: 3, temperature: 0.5, greedy: false });
  });

  test.each([
    { id: 'an unknown name', given: { lenght: 1 }, says: "no argument 'lenght'. It takes length, temperature, greedy" },
    { id: 'a fraction for a whole number', given: { length: 1.5 }, says: 'must be a whole number' },
    { id: 'a number for a boolean', given: { greedy: 1 }, says: 'true or false' },
    { id: 'too small a number', given: { temperature: -1 }, says: 'from 0 to Infinity' },
    { id: 'NaN', given: { temperature: Number.NaN }, says: 'must be a number' },
  ])('refuse $id', ({ given, says }) => {
    expect(() => readArguments(signature, given)).toThrow(says);
  });
});

describe('a signature', () => {
  test('is read from the model', () => {
    expect(readSignature({ inference_signature: signature })).toEqual(signature);
  });

  test('that is missing is said with what to do', () => {
    class Silent {}
    expect(() => readSignature(new Silent())).toThrow(
      "Silent does not say what it takes. Give it a getter 'inference_signature'",
    );
  });

  test('that is wrong is said with the place', () => {
    const wrong = { ...signature, output: { type: 'classes' } };
    expect(() => readSignature(JSON.parse(JSON.stringify({ inference_signature: wrong })))).toThrow(
      "wrong at 'output.names'",
    );
  });
});

import type { AttributeValue } from './graphDef.ts';
import type { Operation, Value } from './recording.ts';

/**
 * Type attributes that TensorFlow.js leaves out because a single operation finds them out from its inputs; in a graph
 * they must be written. Each names the input that has the type.
 */
const leftOut: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  ExpandDims: { T: 0, Tdim: 1 },
};

/** The attributes that an operation has in a graph. */
export function attributesOf({ name, attributes, inputs }: Operation): Readonly<Record<string, AttributeValue>> {
  const found: Record<string, AttributeValue> = {};
  for (const attribute of attributes) found[attribute.name] = { kind: 'native', attribute };
  for (const [attribute, index] of Object.entries(leftOut[name] ?? {})) {
    const input = inputs[index];
    if (found[attribute] === undefined && input !== undefined) found[attribute] = { kind: 'type', type: typeOf(input) };
  }
  return found;
}

function typeOf(value: Value): number {
  switch (value.kind) {
    case 'output':
      return value.operation.outputs[value.index]?.dtype ?? 1;
    case 'constant':
      return value.value.dtype;
    case 'input':
      return value.dtype;
  }
}

import type { Input, Operation, Value } from '../../backend/graph/index.ts';
import type { NativeBinding } from '../../backend/index.ts';
import type { RecordedCall } from './recordCall.ts';

type Call = Pick<RecordedCall, 'operations' | 'outputs'>;

/** A recorded call with weights, and whatever else was there before it, as constants. */
export function freeze(binding: NativeBinding, call: Call): Call {
  const constants = new Map<string, Value>();
  const replaced = new Map<Operation, Operation>();
  const constantOf = (input: Input): Value => {
    let found = constants.get(input.key);
    if (found === undefined) {
      const data = binding.tensorDataSync(Number(input.key.slice('tensor:'.length)));
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
      const value = { dtype: input.dtype, shape: input.shape, bytes };
      found = { kind: 'constant', value, order: -1, madeAt: undefined };
      constants.set(input.key, found);
    }
    return found;
  };
  const frozen = (value: Value): Value => {
    if (value.kind === 'output') return { ...value, operation: replaced.get(value.operation) ?? value.operation };
    return value.kind === 'input' && value.key.startsWith('tensor:') ? constantOf(value) : value;
  };
  const operations = call.operations.map((operation) => {
    const copy = { ...operation, inputs: operation.inputs.map(frozen) };
    replaced.set(operation, copy);
    return copy;
  });
  return { operations, outputs: new Map([...call.outputs].map(([name, value]) => [name, frozen(value)])) };
}

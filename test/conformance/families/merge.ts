import { z } from 'zod';
import {
  type ContainerNode,
  fromTagged,
  loadYaml,
  merge as mergeConfigs,
  mergeWith,
  resolve,
  select,
  toTagged,
  update,
  updateFromDotlist,
} from '../../../engine/config/index.ts';
import { compareOutcome, Encoded, ExpectedError } from '../expectation.ts';
import type { CaseOutcome } from '../framework.ts';
import { type RecordingContext, recordingContext } from '../resolvers.ts';

const Flag = z.object({
  input: z.number(),
  key: z.string().nullable(),
  flag: z.enum(['struct', 'readonly']),
  value: z.boolean(),
});

const MergeCase = z.looseObject({
  id: z.string(),
  op: z.enum(['merge', 'merge_with', 'update', 'dotlist']),
  inputs: z.array(z.string()),
  flags: z.array(Flag).optional(),
  key: z.string().optional(),
  value: Encoded.optional(),
  merge: z.boolean().optional(),
  force_add: z.boolean().optional(),
  dotlist: z.array(z.string()).optional(),
  result: z.unknown().optional(),
  resolved: z.unknown().optional(),
  resolve_error: ExpectedError.optional(),
  error: z.string().optional(),
  lines: z.array(z.string()).optional(),
});
type MergeCase = z.infer<typeof MergeCase>;

/** Merging configs, with flags; update and dotlists. */
export const merge = {
  name: 'merge',
  file: 'merge.json',
  run(input: unknown): CaseOutcome {
    const vector = MergeCase.parse(input);
    const recording = recordingContext();
    let result: ContainerNode | undefined;
    const expected = vector.error === undefined ? { value: vector.result } : ExpectedError.parse(vector);
    const outcome = compareOutcome(expected, () => {
      const inputs = vector.inputs.map((text) => loadYaml(text));
      setFlags(vector, inputs, recording);
      result = perform(vector, inputs, recording);
      return toTagged(result);
    });
    if (outcome !== undefined || result === undefined) return outcome;
    return compareResolved(vector, result, recording);
  },
};

function setFlags(vector: MergeCase, inputs: readonly ContainerNode[], { context }: RecordingContext): void {
  for (const { input, key, flag, value } of vector.flags ?? []) {
    const config = inputAt(inputs, input);
    const node = key === null ? config : select(config, key, context);
    if (node === undefined) throw new Error(`the case flags '${key}', which is not there`);
    node.setFlag(flag, value);
  }
}

function inputAt(inputs: readonly ContainerNode[], index: number): ContainerNode {
  const config = inputs[index];
  if (config === undefined) throw new Error(`the case has no input ${index}`);
  return config;
}

function perform(vector: MergeCase, inputs: readonly ContainerNode[], { context }: RecordingContext): ContainerNode {
  const first = inputAt(inputs, 0);
  switch (vector.op) {
    case 'merge':
      return mergeConfigs(inputs, context);
    case 'merge_with':
      mergeWith(first, inputs.slice(1), context);
      return first;
    case 'dotlist':
      updateFromDotlist(first, vector.dotlist ?? [], context);
      return first;
    default: {
      const options = { merge: vector.merge ?? true, forceAdd: vector.force_add ?? false };
      update(first, vector.key ?? '', fromTagged(vector.value ?? { t: 'null' }), context, options);
      return first;
    }
  }
}

function compareResolved(vector: MergeCase, result: ContainerNode, { context }: RecordingContext): CaseOutcome {
  const expected = vector.resolve_error ?? (vector.resolved === undefined ? undefined : { value: vector.resolved });
  if (expected === undefined) return undefined;
  return compareOutcome(expected, () => toTagged(resolve(result, context)));
}

import { z } from 'zod';
import { fromTagged, toYaml as writeYaml } from '../../../engine/config/index.ts';
import { compareOutcome, Encoded, ExpectedError } from '../expectation.ts';
import type { CaseOutcome } from '../framework.ts';
import { recordingContext } from '../resolvers.ts';

const ToYamlCase = z.looseObject({
  id: z.string(),
  input: Encoded,
  resolve: z.boolean(),
  sort_keys: z.boolean(),
  default_flow_style: z.boolean().nullish(),
  text: z.string().optional(),
  error: z.string().optional(),
});
type ToYamlCase = z.infer<typeof ToYamlCase>;

/** The exact text of a config. */
export const toYaml = {
  name: 'to_yaml',
  file: 'to_yaml.json',
  run(input: unknown): CaseOutcome {
    const vector = ToYamlCase.parse(input);
    const { context } = recordingContext();
    const expected = vector.error === undefined ? { value: vector.text } : ExpectedError.parse(vector);
    return compareOutcome(expected, () =>
      writeYaml(fromTagged(vector.input), {
        ...(vector.resolve ? { resolve: context } : {}),
        sortKeys: vector.sort_keys,
        flowStyle: flowStyleOf(vector),
      }),
    );
  },
};

/** Absent is OmegaConf's own choice, null is PyYAML's. */
function flowStyleOf({ default_flow_style: style }: ToYamlCase): 'block' | 'flow' | 'auto' {
  if (style === undefined) return 'block';
  if (style === null) return 'auto';
  return style ? 'flow' : 'block';
}

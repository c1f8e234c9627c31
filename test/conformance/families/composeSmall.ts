import { runComposeCase } from '../composeCase.ts';
import type { CaseOutcome, FamilyContext } from '../framework.ts';

/** Small hand-made trees. */
export const composeSmall = {
  name: 'compose_small',
  file: 'compose_small.json',
  run(input: unknown, context: FamilyContext): CaseOutcome {
    return runComposeCase(input, 'trees', context);
  },
};

import { runComposeCase } from '../composeCase.ts';
import type { CaseOutcome, FamilyContext } from '../framework.ts';

/** Trees and overrides made at random. */
export const composeRandom = {
  name: 'compose_random',
  file: 'compose_random.json',
  run(input: unknown, context: FamilyContext): CaseOutcome {
    return runComposeCase(input, 'trees_random', context);
  },
};

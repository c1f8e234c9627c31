import { expect, test } from 'vitest';
import { normalizeArguments } from '../../../engine/cli/arguments.ts';

const known = ['--config_file', '--num_processes', '--config-name', '--config-path', '--config-dir', '--cfg'];

test.each([
  { id: 'hyphens for underscores', given: ['--num-processes', '2'], normal: ['--num_processes', '2'] },
  { id: 'underscores for hyphens', given: ['--config_name=a_b'], normal: ['--config-name=a_b'] },
  {
    id: "Hydra's short options",
    given: ['-cn', 'x', '-cp', 'y', '-cd', 'z'],
    normal: ['--config-name', 'x', '--config-path', 'y', '--config-dir', 'z'],
  },
  { id: 'an unknown option', given: ['--nope_at-all'], normal: ['--nope_at-all'] },
  { id: 'overrides', given: ['a_b=c', '~d-e', '+f=--num-processes'], normal: ['a_b=c', '~d-e', '+f=--num-processes'] },
  { id: 'what follows --', given: ['--', '--num-processes', '-cn'], normal: ['--', '--num-processes', '-cn'] },
])('$id', ({ given, normal }) => {
  expect(normalizeArguments(given, known)).toEqual(normal);
});

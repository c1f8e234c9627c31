import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadProject } from '../../../engine/instantiate/project/loadProject.ts';
import { composeProject } from '../../../engine/service/composition.ts';
import { sectionProblems } from '../../../engine/service/sectionProblems.ts';
import { temporaryFolder } from '../runs/support.ts';

const whole = `models: {small: {_target_: models.Small}}
model: \${models.small}
train_dataloader: {_target_: accelhydra.DataLoader}
val_dataloader: null
optimizer: {_target_: torch.optim.SGD}
loss_fn: null
trainer: \${made_by_code:trainer}
`;

function problems(text: string, ...overrides: string[]): string[] {
  const root = temporaryFolder();
  mkdirSync(join(root, 'configs', 'optimizer'), { recursive: true });
  writeFileSync(join(root, 'configs', 'train.yaml'), text);
  for (const name of ['adam', 'sgd']) writeFileSync(join(root, 'configs', 'optimizer', `${name}.yaml`), 'lr: 1\n');
  return sectionProblems(composeProject(loadProject(root), { configName: 'train', overrides }));
}

test('a config with every section it needs is fine, as far as can be known without code of the project', () => {
  expect(problems(whole)).toEqual([]);
});

test.each([
  {
    id: 'a section that is not there',
    text: whole.replace(/^optimizer.*\n/m, ''),
    says: [
      "The config has no section 'optimizer'.",
      '    at configs/train.yaml',
      '    Add it: choose an option of the group with +optimizer=adam (there are adam, sgd), or write optimizer: {_target_: torch.optim.AdamW, lr: 0.001}',
    ],
  },
  {
    id: 'one that is misspelt',
    text: whole.replace('loss_fn', 'los_fn'),
    says: ["no section 'loss_fn'. Did you mean 'los_fn'? Write 'loss_fn: null' when training_step needs none."],
  },
  { id: 'one that is null', text: whole.replace(/\$\{models.*/, 'null'), says: ["'model' is null", 'train.yaml:2:8'] },
  {
    id: 'one that is no mapping',
    text: whole,
    overrides: ['val_dataloader=[1]'],
    says: ["'val_dataloader' must be a mapping with _target_; it is a list.", 'override 1 (val_dataloader=[1])'],
  },
  {
    id: 'one that an override took away',
    text: whole,
    overrides: ['+a=1', '~train_dataloader'],
    says: ["no section 'train_dataloader'", 'at override 2 (~train_dataloader)'],
  },
  {
    id: 'an interpolation of one without a target',
    text: whole.replace('_target_: models.Small', 'width: 3'),
    says: ["'model' has no _target_", 'train.yaml:2:8'],
  },
])('$id is told with its place', ({ text, overrides = [], says }) => {
  const found = problems(text, ...overrides);
  expect(found).toHaveLength(1);
  for (const part of says) expect(found[0]).toContain(part);
});

import { describe, expect, test } from 'vitest';
import type { ConfigTreeNode, GroupChoice } from '../../../engine/api/configModel.ts';
import { flatten } from '../../../renderer/features/compose/treeRows.ts';
import { withChoice } from '../../../renderer/stores/compose.ts';

const model: GroupChoice = {
  key: 'model',
  group: 'model',
  options: ['classifier', 'char_lm'],
  choice: 'classifier',
  before: 'classifier',
};
const experiment: GroupChoice = { key: 'experiment', group: 'experiment', options: ['overfit'] };
const noneByDefault: GroupChoice = { ...model, key: 'logger', group: 'logger', choice: null, before: null };

test.each([
  { id: 'another option', overrides: ['a=1'], group: model, option: 'char_lm', after: ['a=1', 'model=char_lm'] },
  {
    id: 'replaces the choice before',
    overrides: ['model=x', 'a=1'],
    group: model,
    option: 'char_lm',
    after: ['a=1', 'model=char_lm'],
  },
  {
    id: 'back to the default needs no override',
    overrides: ['model=char_lm'],
    group: model,
    option: 'classifier',
    after: [],
  },
  { id: 'none deletes the entry', overrides: [], group: model, option: null, after: ['~model'] },
  {
    id: 'a group outside the defaults list is added',
    overrides: [],
    group: experiment,
    option: 'overfit',
    after: ['+experiment=overfit'],
  },
  { id: 'taking an added group back', overrides: ['+experiment=overfit'], group: experiment, option: null, after: [] },
  { id: 'none where none is the default', overrides: ['logger=tb'], group: noneByDefault, option: null, after: [] },
  {
    id: 'keeps a nested group of the same name',
    overrides: ['model/backbone=mlp'],
    group: model,
    option: 'char_lm',
    after: ['model/backbone=mlp', 'model=char_lm'],
  },
])('choosing a group option: $id', ({ overrides, group, option, after }) => {
  expect(withChoice(overrides, group, option)).toEqual(after);
});

function leaf(path: string, text: string, changed = false): ConfigTreeNode {
  return { path, key: path.split('.').at(-1) ?? path, kind: 'scalar', type: 'str', text, beaten: [], changed };
}

const tree: ConfigTreeNode = {
  path: '',
  key: '',
  kind: 'dict',
  beaten: [],
  changed: true,
  children: [
    leaf('seed', '42'),
    {
      path: 'model',
      key: 'model',
      kind: 'dict',
      beaten: [],
      changed: true,
      children: [leaf('model.depth', '12', true), leaf('model.name', 'udit')],
    },
    { path: 'empty', key: 'empty', kind: 'dict', beaten: [], changed: false, children: [] },
  ],
};

describe('tree rows', () => {
  const paths = (view: Partial<Parameters<typeof flatten>[1]>) =>
    flatten(tree, { collapsed: new Set(), filter: '', onlyChanged: false, ...view }).map((row) => row.node.path);

  test('all rows in order, depth first', () => {
    expect(paths({})).toEqual(['seed', 'model', 'model.depth', 'model.name', 'empty']);
  });
  test('a collapsed branch hides what is below', () => {
    expect(paths({ collapsed: new Set(['model']) })).toEqual(['seed', 'model', 'empty']);
  });
  test('a filter keeps the ancestors of a match and opens them', () => {
    expect(paths({ filter: 'UDIT', collapsed: new Set(['model']) })).toEqual(['model', 'model.name']);
  });
  test('a branch that matches keeps all below it', () => {
    expect(paths({ filter: 'model' })).toEqual(['model', 'model.depth', 'model.name']);
  });
  test('changed only', () => {
    expect(paths({ onlyChanged: true })).toEqual(['model', 'model.depth']);
  });
  test('a filter that nothing matches leaves nothing', () => {
    expect(paths({ filter: 'nowhere' })).toEqual([]);
  });
});

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadProject } from '../../../engine/instantiate/index.ts';
import { composeProject } from '../../../engine/service/composition.ts';
import { findConfigPlace } from '../../../engine/service/configPlace.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'accelhydra-place-'));
  mkdirSync(join(root, 'configs', 'db'), { recursive: true });
  writeFileSync(join(root, 'configs', 'train.yaml'), 'defaults:\n  - db: mysql\n');
  writeFileSync(join(root, 'configs', 'db', 'mysql.yaml'), '# @package app._group_._name_\nport: 1\n');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test.each([
  { id: 'quoted', says: "version_base: '1.3'", is: 'app:\n  db:\n    mysql:\n      port: 1\n' },
  { id: 'as a number', says: 'version_base: 1.3', is: 'app:\n  db:\n    mysql:\n      port: 1\n' },
  { id: 'the newest', says: "version_base: '1.4'", is: 'app:\n  _group_:\n    _name_:\n      port: 1\n' },
  { id: 'not at all', says: '', is: 'app:\n  _group_:\n    _name_:\n      port: 1\n' },
])('a project says which Hydra its configs are for: $id', async ({ says, is }) => {
  writeFileSync(join(root, 'accelhydra.yaml'), `${says}\n`);
  const request = { configName: 'train', overrides: [] };
  expect(composeProject(await findConfigPlace(root, undefined), request).configYaml).toBe(is);
  expect(composeProject(loadProject(root), request).configYaml).toBe(is);
});

test('what is no version is refused with its place', async () => {
  writeFileSync(join(root, 'accelhydra.yaml'), 'version_base: newest\n');
  expect(() => loadProject(root)).toThrow(/accelhydra\.yaml:1:1: version_base: a version of Hydra such as '1\.3'/);
});

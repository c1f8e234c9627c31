import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { commandText, shellQuote } from '../../../engine/service/commandText.ts';
import { UserState } from '../../../engine/service/userState.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'accelhydra-user-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('settings, recent and trusted projects are remembered by another engine', () => {
  const first = new UserState(join(folder, 'deep'));
  const project = join(folder, 'project');
  mkdirSync(project);
  first.updateSettings({ theme: 'dark', chartSmoothing: undefined });
  first.rememberProject(project, 'p', 1);
  first.rememberProject(join(folder, 'gone'), '', 2);
  first.rememberProject(project, 'renamed', 3);
  first.trust(project, true);
  const second = new UserState(join(folder, 'deep'));
  expect(second.settings).toEqual({ theme: 'dark', chartSmoothing: 0 });
  expect(second.recentProjects()).toEqual([
    { root: project, name: 'renamed', openedAt: 3, missing: false },
    { root: join(folder, 'gone'), name: 'gone', openedAt: 2, missing: true },
  ]);
  expect([second.isTrusted(project), second.isTrusted(folder)]).toEqual([true, false]);
  second.trust(project, false);
  expect(first.isTrusted(project)).toBe(false);
});

test('a damaged file counts as absent and is kept aside', () => {
  writeFileSync(join(folder, 'settings.json'), '{"settings":');
  const user = new UserState(folder);
  expect(user.settings.theme).toBe('system');
  expect(existsSync(join(folder, 'settings.json.damaged'))).toBe(false);
  user.updateSettings({ theme: 'light' });
  expect(readFileSync(join(folder, 'settings.json.damaged'), 'utf8')).toBe('{"settings":');
  expect(user.settings.theme).toBe('light');
});

test.each([
  { text: 'model/backbone=resnet', quoted: 'model/backbone=resnet' },
  { text: '~optimizer', quoted: "'~optimizer'" },
  { text: 'name=two words', quoted: "'name=two words'" },
  { text: "name='x'", quoted: `'name='\\''x'\\'''` },
  { text: 'a=$b', quoted: "'a=$b'" },
  { text: 'l=[1,2]', quoted: "'l=[1,2]'" },
  { text: '', quoted: "''" },
])('a shell reads $quoted as $text', ({ text, quoted }) => {
  expect(shellQuote(text)).toBe(quoted);
});

test('a command names what differs from the defaults', () => {
  const request = { configName: 'train', overrides: ['epochs=3', '~val'] };
  expect(commandText(request, 'train')).toBe("accelhydra train epochs=3 '~val'");
  expect(
    commandText({ ...request, overrides: [], numProcesses: 2, useCpu: true, launchFile: 'configs/a b.yaml' }, 'other'),
  ).toBe("accelhydra train --config-name train --config_file 'configs/a b.yaml' --num_processes 2 --use_cpu");
});

import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { compose } from '../../../../engine/config/compose/compose.ts';
import { configNames, groupOptions, listGroups } from '../../../../engine/config/compose/groups.ts';
import { MemorySource } from '../../../../engine/config/compose/memorySource.ts';
import { toPlain } from '../../../../engine/config/node/plain.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'config-'));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

function write(name: string, text: string | Uint8Array): string {
  const file = path.join(directory, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

function plain(configName: string, overrides: readonly string[] = [], more: object = {}): unknown {
  const { config } = compose({ searchPath: [directory], configName, overrides, env: {}, ...more });
  return JSON.parse(JSON.stringify(toPlain(config)));
}

describe('several places', () => {
  const library = new MemorySource(
    { 'schedule/cosine.yaml': 'kind: cosine\n', 'model/mlp.yaml': 'from: library\n' },
    { url: 'pkg://lib', provider: 'lib' },
  );

  test('the first that has a file gives it; options are those of all', () => {
    write('config.yaml', 'defaults:\n  - model: mlp\n  - schedule: cosine\n');
    write('model/mlp.yaml', 'from: project\n');
    const request = { searchPath: [directory, library], configName: 'config' };
    expect(toPlain(compose(request).config)).toEqual({ model: { from: 'project' }, schedule: { kind: 'cosine' } });
    expect(listGroups(request).map(({ name, active }) => [name, active[0]?.option])).toEqual([
      ['model', 'mlp'],
      ['schedule', 'cosine'],
    ]);
    expect(groupOptions(request, 'schedule')).toEqual([{ name: 'cosine', activeFor: ['schedule'] }]);
    expect(configNames(request)).toEqual(['config']);
  });

  test('hydra.searchpath adds places, from the primary config or the command line', () => {
    write('config.yaml', 'hydra:\n  searchpath: [pkg://lib, pkg://gone]\na: 1\n');
    write('plain.yaml', 'a: 1\n');
    const libraries = { lib: library };
    const { config, warnings } = compose({
      searchPath: [directory],
      configName: 'config',
      overrides: ['+schedule=cosine'],
      libraries,
    });
    expect(toPlain(config)).toEqual({ a: 1, schedule: { kind: 'cosine' } });
    expect(warnings).toEqual(['provider=hydra.searchpath in main, path=gone is not available.']);
    expect(plain('plain', ['hydra.searchpath=[pkg://lib]', '+schedule=cosine'], { libraries })).toEqual({
      a: 1,
      schedule: { kind: 'cosine' },
    });
  });

  test.each([
    {
      id: 'a text',
      text: 'hydra: {searchpath: here}\n',
      message: 'hydra.searchpath must be a list of strings. Got: here',
    },
    {
      id: 'numbers',
      text: 'hydra: {searchpath: [1]}\n',
      message: 'hydra.searchpath must be a list of strings. Got: [1]',
    },
    {
      id: 'an unknown scheme',
      text: 'hydra: {searchpath: ["ftp://x"]}\n',
      message: 'No config source registered for schema ftp',
    },
  ])('hydra.searchpath cannot be $id', ({ text, message }) => {
    write('config.yaml', text);
    expect(() => plain('config')).toThrow(message);
  });

  test('only the primary config may set hydra.searchpath', () => {
    write('config.yaml', 'defaults: [other]\n');
    write('other.yaml', 'hydra: {searchpath: ["file://x"]}\n');
    expect(() => plain('config')).toThrow(
      "In 'other': Overriding hydra.searchpath is only supported from the primary config",
    );
  });
});

describe('files', () => {
  test('a changed file is read again', () => {
    const file = write('config.yaml', 'a: 1\n');
    expect(plain('config')).toEqual({ a: 1 });
    writeFileSync(file, 'a: 2\n');
    utimesSync(file, 1, 1);
    expect(plain('config')).toEqual({ a: 2 });
  });

  test('names with blanks and dots, CRLF and a byte order mark', () => {
    write('config.yaml', '\ufeffdefaults:\r\n  - my group: v1.5\r\n');
    write('config2.yaml', '\ufeffdefaults:\r\n  - group: v1.5\r\nb: 2\r\n');
    write('group/v1.5.yaml', 'a: 1\r\n');
    expect(() => plain('config')).toThrow("Unsupported keyword 'my' in defaults list");
    expect(plain('config2')).toEqual({ group: { a: 1 }, b: 2 });
    write('group/two words.yaml', 'a: 2\n');
    write('my.config v2.yaml', 'defaults:\n  - group: two words\n');
    expect(plain('my.config v2')).toEqual({ group: { a: 2 } });
    expect(plain('config2', ["group='two words'"])).toEqual({ group: { a: 2 }, b: 2 });
  });

  test('a binary file is refused by name', () => {
    write('config.yaml', new Uint8Array([0x61, 0xff, 0xfe, 0x00]));
    expect(() => plain('config')).toThrow("config.yaml' is not UTF-8 text");
  });

  test('a link that leads to itself is refused by name', () => {
    symlinkSync(path.join(directory, 'config.yaml'), path.join(directory, 'config.yaml'));
    expect(() => plain('config')).toThrow('is a symbolic link that leads back to itself');
  });

  test('a link that cannot be followed is no option of its group, and none of the others’ business', () => {
    write('config.yaml', 'defaults: [{group: x}]\n');
    write('group/x.yaml', 'b: 1\n');
    symlinkSync('two.yaml', path.join(directory, 'group', 'one.yaml'));
    symlinkSync('one.yaml', path.join(directory, 'group', 'two.yaml'));
    expect(listGroups({ searchPath: [directory], configName: 'config' })).toMatchObject([{ options: ['x'] }]);
    const wrong = () => compose({ searchPath: [directory], configName: 'config', overrides: ['group=y'] });
    expect(wrong).toThrow("Could not find 'group/y'");
    const looped = () => compose({ searchPath: [directory], configName: 'config', overrides: ['group=one'] });
    expect(looped).toThrow('is a symbolic link that leads back to itself');
  });

  test.runIf(process.platform !== 'win32')('a file that may not be read is refused by name', () => {
    chmodSync(write('config.yaml', 'a: 1\n'), 0);
    chmodSync(directory, 0o755);
    // root may read anything, so the reading is done by nobody
    const module = new URL('../../../../engine/config/compose/fileSource.ts', import.meta.url).href;
    const script = `import { FileSource } from '${module}';
      if (process.getuid() === 0) process.seteuid(65534);
      try { new FileSource(process.argv[1]).read('config.yaml') } catch (error) { console.log(error.message) }`;
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script, directory], {
      encoding: 'utf8',
    });
    expect(stdout).toContain("config.yaml' may not be read by this user");
  });

  test('directories that contain themselves do not hang the list of groups', () => {
    write('config.yaml', 'a: 1\n');
    write('group/x.yaml', 'b: 1\n');
    symlinkSync(directory, path.join(directory, 'group', 'loop'));
    expect(listGroups({ searchPath: [directory], configName: 'config' }).length).toBeGreaterThan(0);
  });

  test('a directory that is not there', () => {
    expect(() => compose({ searchPath: [path.join(directory, 'none')], configName: 'config' })).toThrow(
      'Primary config directory not found.',
    );
  });

  test('YAML errors name the file', () => {
    write('config.yaml', 'a: [1\n');
    expect(() => plain('config')).toThrow();
    write('config.yaml', 'defaults:\n  - other\n');
    write('other.yaml', 'a: 1\na: 2\n');
    let told = '';
    try {
      plain('config');
    } catch (error) {
      told =
        error instanceof Error && 'describe' in error && typeof error.describe === 'function'
          ? String(error.describe())
          : '';
    }
    expect(told).toContain('other.yaml:2:1');
  });

  test('.yml is not a config', () => {
    expect(() => plain('config.yml')).toThrow("Unsupported config file extension '.yml'");
  });
});

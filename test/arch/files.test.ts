import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { platformOf } from '../../engine/setup/completeLock.mjs';

const root = join(import.meta.dirname, '..', '..');
const longestFile = 400;

const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root })
  .toString()
  .split('\0')
  .filter((file) => file !== '' && existsSync(join(root, file)) && statSync(join(root, file)).isFile());
const sources = files.filter((file) =>
  /^(engine|electron|renderer|test|resources)\/.*\.(ts|tsx|mjs|cjs|css)$/.test(file),
);
const texts = files.filter((file) => !/\.(png|ico|icns|jpe?g|webp|woff2?|safetensors|gz|wav|npz|bin)$/.test(file));
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

/** The offending `file:line` places, so that a failure says where. */
function places(where: readonly string[], pattern: RegExp): string[] {
  return where.flatMap((file) =>
    read(file)
      .split('\n')
      .flatMap((line, index) => (pattern.test(line) ? [`${file}:${index + 1}: ${line.trim().slice(0, 120)}`] : [])),
  );
}

describe('tracked files', () => {
  test('name no path of a developer’s machine', () => {
    // Built from parts, so that this file is no offender itself.
    const folders = ['work', 'root', 'home/[a-z]+', 'Users/[A-Za-z]+'].join('|');
    const own = new RegExp(`(^|[\\s'"\`(=:])/(${folders})/`);
    const elsewhere = texts.filter((file) => !/^test\/(fixtures|conformance)\/|^test\/.*\.test\.tsx?$/.test(file));
    expect(places(elsewhere, own)).toEqual([]);
  });

  test('name no package registry or mirror', () => {
    const hosts = new RegExp(
      ['registry\\.npm', 'npmmirror', 'artifactory', 'verdaccio', 'pypi\\.org', 'devpi'].join('|'),
      'i',
    );
    const offenders = places(texts, hosts).filter((place) => !place.startsWith('test/arch/files.test.ts'));
    expect(offenders).toEqual([]);
  });

  test(`of source have at most ${longestFile} lines`, () => {
    const long = sources
      .map((file) => ({ file, lines: read(file).trimEnd().split('\n').length }))
      .filter(({ lines }) => lines > longestFile);
    expect(long).toEqual([]);
  });

  test('switch no check off', () => {
    const switches = new RegExp(
      ['@ts-' + '(ignore|expect-error|nocheck)', 'biome-' + 'ignore', '\\bas any\\b', 'as unknown as'].join('|'),
    );
    const offenders = places(sources, switches).filter((place) => !place.startsWith('test/arch/files.test.ts'));
    expect(offenders).toEqual([]);
  });

  test('are not things that can be fetched or made again', () => {
    const made =
      /(^|\/)(node_modules|dist|\.runtime|\.accelhydra|experiments|coverage)\/|\.(log|node|so|dylib|whl|tgz|sqlite|db)$/;
    expect(files.filter((file) => made.test(file))).toEqual([]);
  });

  test('are named in camelCase, components in PascalCase', () => {
    const wellNamed =
      /^\.?[a-z][A-Za-z0-9]*(\.[a-z]+)*\.(ts|mjs|cjs|css)$|^[A-Z][A-Za-z0-9]*\.tsx$|^[a-z][A-Za-z0-9]*(\.[a-z]+)*\.tsx$/;
    const named = sources.filter((file) => !file.startsWith('test/fixtures/') && !file.startsWith('resources/'));
    expect(named.filter((file) => !wellNamed.test(basename(file)))).toEqual([]);
  });
});

describe('package-lock.json', () => {
  interface Lock {
    readonly packages: Record<
      string,
      { resolved?: string; version?: string; optionalDependencies?: Record<string, string> }
    >;
  }
  const lock = JSON.parse(read('package-lock.json')) as Lock;

  test('has no download addresses', () => {
    expect(Object.keys(lock.packages).filter((name) => lock.packages[name]?.resolved)).toEqual([]);
  });

  test('has every platform’s optional packages (npm run lock adds them)', () => {
    const missing = Object.entries(lock.packages).flatMap(([path, entry]) =>
      Object.keys(entry.optionalDependencies ?? {}).filter((name) => {
        const places = [`${path}/node_modules/${name}`, `node_modules/${name}`];
        return platformOf(name) !== undefined && !places.some((place) => place in lock.packages);
      }),
    );
    expect(missing).toEqual([]);
  });

  test('pins what package.json names', () => {
    const named = JSON.parse(read('package.json')) as Record<
      'dependencies' | 'devDependencies',
      Record<string, string>
    >;
    const loose = Object.entries({ ...named.dependencies, ...named.devDependencies }).filter(
      ([, version]) => !/^\d/.test(version),
    );
    expect(loose).toEqual([]);
  });
});

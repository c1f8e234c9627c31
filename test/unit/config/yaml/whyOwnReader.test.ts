import { describe, expect, test } from 'vitest';
import { parseDocument } from 'yaml';
import { ConfigError, loadYaml } from '../../../../engine/config/index.ts';
import { plain } from '../support.ts';

// Why configs are not read with the `yaml` package (docs/architecture.md): what its parser decides otherwise than libyaml,
// through which OmegaConf reads, in ways that no schema or custom tag of it can mend. Should one of these come out alike
// some day, the reason is weaker by one.
const REFUSED = 'refused';

function withOurs(text: string): unknown {
  try {
    return plain(loadYaml(text));
  } catch (error) {
    if (error instanceof ConfigError) return REFUSED;
    throw error;
  }
}

function withThePackage(text: string): unknown {
  const document = parseDocument(text, { version: '1.1', merge: true });
  return document.errors.length > 0 ? REFUSED : (document.toJS() as unknown);
}

describe('libyaml accepts what the yaml package refuses', () => {
  test.each([
    { id: 'a list in brackets whose lines are not indented', text: 'sizes: [\n1,\n2\n]\n', is: { sizes: [1, 2] } },
    { id: 'a mapping in braces whose lines are not indented', text: 'opt: {\nlr: 1\n}\n', is: { opt: { lr: 1 } } },
    { id: 'a comment right behind a quote', text: 'name: "a"# note\n', is: { name: 'a' } },
  ])('$id', ({ text, is }) => {
    expect(withOurs(text)).toEqual(is);
    expect(withThePackage(text)).toBe(REFUSED);
  });
});

describe('libyaml refuses what the yaml package accepts', () => {
  test.each([
    { id: 'an unquoted ??? in brackets', text: 'a: [???]\n', packageSays: { a: ['???'] } },
    { id: 'an anchor twice', text: 'a: &x 1\nb: &x 2\n', packageSays: { a: 1, b: 2 } },
    { id: 'a control character', text: 'a: x\u0007\n', packageSays: { a: 'x\u0007' } },
    { id: 'a line of a tab inside a mapping', text: 'a: 1\n\t\nb: 2\n', packageSays: { a: 1, b: 2 } },
    { id: 'a newer YAML', text: '%YAML 1.3\n---\na: 1\n', packageSays: { a: 1 } },
    { id: 'a key that is a mapping', text: '? {a: 1}\n: 1\n', packageSays: { '{ a: 1 }': 1 } },
  ])('$id', ({ text, packageSays }) => {
    expect(withOurs(text)).toBe(REFUSED);
    expect(withThePackage(text)).toEqual(packageSays);
  });
});

test('one bracket reads differently in both', () => {
  expect(withOurs('a: [?x]\n')).toEqual({ a: [{ x: null }] });
  expect(withThePackage('a: [?x]\n')).toEqual({ a: ['?x'] });
});

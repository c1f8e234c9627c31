import { ConfigError } from '../errors.ts';

/** Hydra looks no further than this for `# @package`. */
const HEADER_CHARACTERS = 512;

/**
 * The package that a file's first comment lines ask for (`# @package foo.bar`), or `undefined`. Throws Hydra's
 * ValueError for a header that is not KEY VALUE.
 */
export function packageHeader(text: string): string | undefined {
  let found: string | undefined;
  for (const rawLine of text.slice(0, HEADER_CHARACTERS).split(/\r\n|[\n\r\v\f\u0085\u2028\u2029]/)) {
    const line = rawLine.trim();
    if (line === '') continue;
    if (!/^\s*#\s*@/.test(line)) break;
    const header = line.replace(/^#+/, '').trim();
    const parts = header.split(' ').filter((part) => part !== '');
    const [key = '', value] = parts;
    if (value === undefined) throw new ConfigError('ValueError', `Expected header format: KEY VALUE, got '${header}'`);
    if (parts.length > 2) throw new ConfigError('ValueError', `Too many components in '${header}'`);
    if (key === '@package') found = value.trim();
  }
  return found;
}

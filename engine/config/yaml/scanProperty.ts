import { type Cursor, hexValue, isBlank, isBlankOrEnd, isBreak, isBreakOrEnd, isDigit, isWord } from './cursor.ts';
import { type Mark, yamlError } from './mark.ts';
import type { Token } from './token.ts';

const BANG = 0x21;
const HASH = 0x23;
const PERCENT = 0x25;
const LESS_THAN = 0x3c;
const URI_CHARACTERS = new Set([..."-;/?:@&=+$.%!~*'()"].map((character) => character.charCodeAt(0)));
const VERBATIM_URI_CHARACTERS = new Set([...',[]'].map((character) => character.charCodeAt(0)));
const AFTER_ANCHOR = new Set([...'?:,]}%@`'].map((character) => character.charCodeAt(0)));

interface Place {
  readonly cursor: Cursor;
  readonly source: string;
  readonly context: { readonly text: string; readonly mark: Mark };
}

function fail({ cursor, source, context }: Place, problem: string): never {
  throw yamlError('ScannerError', source, problem, cursor.mark(), context);
}

/** Reads `&name` or `*name`; the cursor stands on the indicator. */
export function scanAnchor(cursor: Cursor, source: string, type: 'anchor' | 'alias'): Token {
  const start = cursor.mark();
  cursor.skip();
  const nameStart = cursor.index;
  while (isWord(cursor.peek())) cursor.skip();
  const value = cursor.text.slice(nameStart, cursor.index);
  const next = cursor.peek();
  if (value === '' || !(isBlankOrEnd(next) || AFTER_ANCHOR.has(next))) {
    const place = { cursor, source, context: { text: `while scanning an ${type}`, mark: start } };
    fail(place, 'did not find expected alphabetic or numeric character');
  }
  return { type, value, start, end: cursor.mark() };
}

/** Reads `!`, `!suffix`, `!handle!suffix` or `!<uri>`. */
export function scanTag(cursor: Cursor, source: string, inFlow: boolean): Token {
  const start = cursor.mark();
  const place: Place = { cursor, source, context: { text: 'while scanning a tag', mark: start } };
  let handle = '';
  let suffix: string;
  if (cursor.peek(1) === LESS_THAN) {
    cursor.skip(2);
    suffix = scanTagUri(place, true, '');
    if (cursor.text[cursor.index] !== '>') fail(place, "did not find the expected '>'");
    cursor.skip();
  } else {
    handle = scanTagHandle(place, false);
    if (handle.length > 1 && handle.endsWith('!')) {
      suffix = scanTagUri(place, false, '');
    } else {
      suffix = scanTagUri(place, false, handle);
      handle = '!';
      if (suffix === '') [handle, suffix] = ['', '!'];
    }
  }
  const next = cursor.peek();
  if (!isBlankOrEnd(next) && !(inFlow && next === 0x2c)) fail(place, 'did not find expected whitespace or line break');
  return { type: 'tag', handle, suffix, start, end: cursor.mark() };
}

function scanTagHandle(place: Place, inDirective: boolean): string {
  const { cursor } = place;
  if (cursor.peek() !== BANG) fail(place, "did not find expected '!'");
  const start = cursor.index;
  cursor.skip();
  while (isWord(cursor.peek())) cursor.skip();
  if (cursor.peek() === BANG) {
    cursor.skip();
  } else if (inDirective && cursor.index - start > 1) {
    // In a directive this cannot be the beginning of a suffix, as it can in a tag.
    fail(
      { ...place, context: { ...place.context, text: 'while parsing a tag directive' } },
      "did not find expected '!'",
    );
  }
  return cursor.text.slice(start, cursor.index);
}

/** Reads a tag's URI; `head` is what was read of it when it looked like a handle. */
function scanTagUri(outer: Place, verbatim: boolean, head: string): string {
  const { cursor, context } = outer;
  const inDirective = context.text.includes('tag directive');
  // libyaml names what it reads here differently from what surrounds it.
  const text = inDirective ? 'while parsing a %TAG directive' : 'while parsing a tag';
  const place = { ...outer, context: { ...context, text } };
  let uri = head.slice(1);
  let length = head.length;
  for (;;) {
    const code = cursor.peek();
    if (code === PERCENT) {
      uri += scanUriEscape(place);
    } else if (isWord(code) || URI_CHARACTERS.has(code) || (verbatim && VERBATIM_URI_CHARACTERS.has(code))) {
      uri += String.fromCharCode(code);
      cursor.skip();
    } else {
      break;
    }
    length += 1;
  }
  if (length === 0) fail(place, 'did not find expected tag URI');
  return uri;
}

/** Reads one character written as `%XX` octets of its UTF-8 form. */
function scanUriEscape(place: Place): string {
  const { cursor } = place;
  const octets: number[] = [];
  let width = 1;
  while (octets.length < width) {
    const high = hexValue(cursor.peek(1));
    const low = hexValue(cursor.peek(2));
    if (cursor.peek() !== PERCENT || high < 0 || low < 0) fail(place, 'did not find URI escaped octet');
    const octet = high * 16 + low;
    if (octets.length === 0) {
      width = utf8Width(octet);
      if (width === 0) fail(place, 'found an incorrect leading UTF-8 octet');
    } else if ((octet & 0xc0) !== 0x80) {
      fail(place, 'found an incorrect trailing UTF-8 octet');
    }
    octets.push(octet);
    cursor.skip(3);
  }
  return new TextDecoder().decode(new Uint8Array(octets));
}

function utf8Width(octet: number): number {
  if ((octet & 0x80) === 0) return 1;
  if ((octet & 0xe0) === 0xc0) return 2;
  if ((octet & 0xf0) === 0xe0) return 3;
  return (octet & 0xf8) === 0xf0 ? 4 : 0;
}

/** Reads a `%YAML` or `%TAG` line up to its end. */
export function scanDirective(cursor: Cursor, source: string): Token {
  const start = cursor.mark();
  const place: Place = { cursor, source, context: { text: 'while scanning a directive', mark: start } };
  cursor.skip();
  const nameStart = cursor.index;
  while (isWord(cursor.peek())) cursor.skip();
  const name = cursor.text.slice(nameStart, cursor.index);
  if (name === '') fail(place, 'could not find expected directive name');
  if (!isBlankOrEnd(cursor.peek())) fail(place, 'found unexpected non-alphabetical character');
  if (name !== 'YAML' && name !== 'TAG') fail(place, 'found unknown directive name');
  const token = name === 'YAML' ? scanVersion(place, start) : scanTagDirective(place, start);
  cursor.skipBlanks();
  if (cursor.peek() === HASH) cursor.skipToLineEnd();
  if (!isBreakOrEnd(cursor.peek())) fail(place, 'did not find expected comment or line break');
  if (isBreak(cursor.peek())) cursor.readBreak();
  return token;
}

function scanVersion(place: Place, start: Mark): Token {
  const { cursor } = place;
  const versionPlace = { ...place, context: { text: 'while scanning a %YAML directive', mark: start } };
  cursor.skipBlanks();
  const major = scanVersionNumber(versionPlace);
  if (cursor.text[cursor.index] !== '.') fail(versionPlace, "did not find expected digit or '.' character");
  cursor.skip();
  const minor = scanVersionNumber(versionPlace);
  return { type: 'version-directive', major, minor, start, end: cursor.mark() };
}

function scanVersionNumber(place: Place): number {
  const { cursor } = place;
  const start = cursor.index;
  while (isDigit(cursor.peek())) {
    if (cursor.index - start >= 9) fail(place, 'found extremely long version number');
    cursor.skip();
  }
  if (cursor.index === start) fail(place, 'did not find expected version number');
  return Number(cursor.text.slice(start, cursor.index));
}

function scanTagDirective(place: Place, start: Mark): Token {
  const { cursor } = place;
  const directivePlace = { ...place, context: { text: 'while scanning a tag directive', mark: start } };
  cursor.skipBlanks();
  const handle = scanTagHandle(directivePlace, true);
  if (!isBlank(cursor.peek())) fail(directivePlace, 'did not find expected whitespace');
  cursor.skipBlanks();
  const prefix = scanTagUri(directivePlace, true, '');
  if (!isBlankOrEnd(cursor.peek())) fail(directivePlace, 'did not find expected whitespace or line break');
  return { type: 'tag-directive', handle, prefix, start, end: cursor.mark() };
}

/** What Python strips around a number, as a pattern; not quite what JavaScript calls white space. */
export const PYTHON_SPACE = '[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]*';

const AROUND = new RegExp(`^${PYTHON_SPACE}|${PYTHON_SPACE}$`, 'gu');
const OTHER_DIGIT = /(?![0-9])\p{Nd}/gu;
const IS_DIGIT = /\p{Nd}/u;

/** A number's text as Python's `int` and `float` see it: without white space around, digits of every script as 0 to 9. */
export function asciiDigits(text: string): string {
  return text.replace(AROUND, '').replace(OTHER_DIGIT, (digit) => String(digitOf(digit.codePointAt(0) ?? 0)));
}

/** Unicode puts the ten digits of a script in a row, and some rows behind each other. */
function digitOf(code: number): number {
  let before = 0;
  while (IS_DIGIT.test(String.fromCodePoint(code - before - 1))) before++;
  return before % 10;
}

import { isBlankOrEnd, isBreak, SPACE } from '../cursor.ts';

/** Which styles can hold a text without changing it. */
export interface ScalarAnalysis {
  readonly multiline: boolean;
  readonly flowPlainAllowed: boolean;
  readonly blockPlainAllowed: boolean;
  readonly singleQuotedAllowed: boolean;
  readonly blockAllowed: boolean;
}

const FIRST_INDICATORS = new Set([...'#,[]{}&*!|>\'"%@`'].map((character) => character.charCodeAt(0)));
const INNER_FLOW_INDICATORS = new Set([...',?[]{}'].map((character) => character.charCodeAt(0)));
const [HASH, DASH, COLON, QUESTION] = [0x23, 0x2d, 0x3a, 0x3f];

/** What libyaml writes as it is; tabs, carriage returns and everything beyond 16 bits are escaped. */
export function isPrintable(code: number): boolean {
  return (
    code === 0x0a ||
    (code >= 0x20 && code <= 0x7e) ||
    (code >= 0xa0 && code <= 0xd7ff) ||
    (code >= 0xe000 && code <= 0xfffd && code !== 0xfeff)
  );
}

/** Looks at a text the way libyaml's emitter does. */
export function analyzeScalar(text: string): ScalarAnalysis {
  if (text === '') {
    return {
      multiline: false,
      flowPlainAllowed: false,
      blockPlainAllowed: true,
      singleQuotedAllowed: true,
      blockAllowed: false,
    };
  }
  const marker = text.startsWith('---') || text.startsWith('...');
  const indicators = findIndicators(text);
  const spacing = findSpacing(text);
  const edges = spacing.leading || spacing.trailingSpace || spacing.trailingBreak;
  const special = spacing.spaceBreak || spacing.unprintable;
  const plainAllowed = !(edges || spacing.breakSpace || special || spacing.breaks);
  return {
    multiline: spacing.breaks,
    flowPlainAllowed: plainAllowed && !indicators.flow && !marker,
    blockPlainAllowed: plainAllowed && !indicators.block && !marker,
    singleQuotedAllowed: !spacing.breakSpace && !special,
    blockAllowed: !spacing.trailingSpace && !special,
  };
}

function findIndicators(text: string): { readonly flow: boolean; readonly block: boolean } {
  let flow = false;
  let block = false;
  let afterBlank = true;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const beforeBlank = at + 1 >= text.length || isBlankOrEnd(text.charCodeAt(at + 1));
    if (code === COLON || (at === 0 && code === QUESTION)) {
      flow = true;
      block ||= beforeBlank;
    } else if (at === 0 ? FIRST_INDICATORS.has(code) || (code === DASH && beforeBlank) : code === HASH && afterBlank) {
      flow = true;
      block = true;
    } else if (INNER_FLOW_INDICATORS.has(code)) {
      flow = true;
    }
    afterBlank = isBlankOrEnd(code);
  }
  return { flow, block };
}

interface Spacing {
  readonly leading: boolean;
  readonly trailingSpace: boolean;
  readonly trailingBreak: boolean;
  /** A space right after a break, and a break right after a space. */
  readonly breakSpace: boolean;
  readonly spaceBreak: boolean;
  readonly breaks: boolean;
  readonly unprintable: boolean;
}

function findSpacing(text: string): Spacing {
  let [breakSpace, spaceBreak, breaks, unprintable] = [false, false, false, false];
  let [afterSpace, afterBreak] = [false, false];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const isLineBreak = isBreak(code);
    if (!isPrintable(code)) unprintable = true;
    if (isLineBreak) {
      breaks = true;
      if (afterSpace) spaceBreak = true;
    } else if (code === SPACE && afterBreak) {
      breakSpace = true;
    }
    afterSpace = code === SPACE;
    afterBreak = isLineBreak;
  }
  const first = text.charCodeAt(0);
  return {
    leading: first === SPACE || isBreak(first),
    trailingSpace: afterSpace,
    trailingBreak: afterBreak,
    breakSpace,
    spaceBreak,
    breaks,
    unprintable,
  };
}

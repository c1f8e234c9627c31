import { Cursor, isBlank, isBlankOrEnd, isBreak, SPACE, TAB } from './cursor.ts';
import { type Mark, yamlError } from './mark.ts';
import { scanBlockScalar } from './scanBlockScalar.ts';
import { scanQuotedScalar } from './scanFlowScalar.ts';
import { scanPlainScalar } from './scanPlainScalar.ts';
import { scanAnchor, scanDirective, scanTag } from './scanProperty.ts';
import type { SimpleTokenType, Token } from './token.ts';

/** A place where a key without `?` may have begun; it becomes one when a `:` follows on the same line. */
interface SimpleKey {
  readonly mark: Mark;
  /** Its token's number in the stream, from 0. */
  readonly tokenNumber: number;
  /** In a block mapping a text at the mapping's own column can be nothing but a key. */
  readonly required: boolean;
}

const LONGEST_SIMPLE_KEY = 1024;
const PLAIN_START_FORBIDDEN = new Set([...'-?:,[]{}#&*!|>\'"%@`'].map((character) => character.charCodeAt(0)));

const code = (character: string) => character.charCodeAt(0);
const [DASH, QUESTION, COLON, HASH, DOT, PERCENT] = [code('-'), code('?'), code(':'), code('#'), code('.'), code('%')];

/**
 * Turns a YAML 1.1 text into tokens by the rules of libyaml's scanner, including where it differs from the
 * specification, so that what OmegaConf accepts and refuses is accepted and refused here.
 */
export class Scanner {
  readonly #cursor: Cursor;
  readonly #source: string;
  #tokens: Token[] = [];
  #tokenHead = 0;
  #tokensTaken = 0;
  #started = false;
  #ended = false;
  #indent = -1;
  readonly #indents: number[] = [];
  #simpleKeyAllowed = true;
  /** One place for the block level and one for each open flow collection. */
  readonly #simpleKeys: (SimpleKey | undefined)[] = [undefined];

  constructor(text: string, source: string) {
    this.#cursor = new Cursor(text);
    this.#source = source;
  }

  /** The next token without taking it. */
  peek(): Token {
    this.#fetchEnough();
    const token = this.#tokens[this.#tokenHead];
    if (token === undefined) throw new Error('Internal error: read past the end of the YAML stream');
    return token;
  }

  take(): Token {
    const token = this.peek();
    this.#tokenHead += 1;
    this.#tokensTaken += 1;
    if (this.#tokenHead === this.#tokens.length) {
      this.#tokens = [];
      this.#tokenHead = 0;
    }
    return token;
  }

  get #flowLevel(): number {
    return this.#simpleKeys.length - 1;
  }

  #fetchEnough(): void {
    // Also after the end: a key that still waits for its colon is reported when it is looked at.
    while (this.#tokenHead >= this.#tokens.length || this.#headMayBecomeKey()) {
      if (this.#ended) return;
      this.#fetchNext();
    }
  }

  /** While the first token may turn out to be a key, a KEY token may have to go before it. */
  #headMayBecomeKey(): boolean {
    for (let level = 0; level < this.#simpleKeys.length; level++) {
      if (this.#isKeyStillPossible(level) && this.#simpleKeys[level]?.tokenNumber === this.#tokensTaken) return true;
    }
    return false;
  }

  #isKeyStillPossible(level: number): boolean {
    const key = this.#simpleKeys[level];
    if (key === undefined) return false;
    if (key.mark.line === this.#cursor.line && key.mark.index + LONGEST_SIMPLE_KEY >= this.#cursor.index) return true;
    this.#dropSimpleKey(level);
    return false;
  }

  #dropSimpleKey(level: number): void {
    const key = this.#simpleKeys[level];
    if (key?.required) {
      throw yamlError('ScannerError', this.#source, "could not find expected ':'", this.#cursor.mark(), {
        text: 'while scanning a simple key',
        mark: key.mark,
      });
    }
    this.#simpleKeys[level] = undefined;
  }

  #saveSimpleKey(): void {
    if (!this.#simpleKeyAllowed) return;
    this.#dropSimpleKey(this.#flowLevel);
    this.#simpleKeys[this.#flowLevel] = {
      mark: this.#cursor.mark(),
      tokenNumber: this.#tokensTaken + this.#tokens.length - this.#tokenHead,
      required: this.#flowLevel === 0 && this.#indent === this.#cursor.column,
    };
  }

  #add(token: Token): void {
    this.#tokens.push(token);
  }

  #addSimple(type: SimpleTokenType, length: number): void {
    const start = this.#cursor.mark();
    this.#cursor.skip(length);
    this.#add({ type, start, end: this.#cursor.mark() });
  }

  #insert(tokenNumber: number, token: Token): void {
    this.#tokens.splice(this.#tokenHead + tokenNumber - this.#tokensTaken, 0, token);
  }

  /** Opens a block collection when the column is deeper than the current one. */
  #rollIndent(column: number, type: SimpleTokenType, mark: Mark, tokenNumber?: number): void {
    if (this.#flowLevel > 0 || this.#indent >= column) return;
    this.#indents.push(this.#indent);
    this.#indent = column;
    const token: Token = { type, start: mark, end: mark };
    if (tokenNumber === undefined) this.#add(token);
    else this.#insert(tokenNumber, token);
  }

  /** Closes the block collections that are deeper than the column. */
  #unrollIndent(column: number): void {
    if (this.#flowLevel > 0) return;
    while (this.#indent > column) {
      const mark = this.#cursor.mark();
      this.#add({ type: 'block-end', start: mark, end: mark });
      this.#indent = this.#indents.pop() ?? -1;
    }
  }

  #skipToToken(): void {
    const cursor = this.#cursor;
    for (;;) {
      cursor.skipByteOrderMark();
      const tabsAllowed = this.#flowLevel > 0 || !this.#simpleKeyAllowed;
      while (cursor.peek() === SPACE || (tabsAllowed && cursor.peek() === TAB)) cursor.skip();
      if (cursor.peek() === HASH) cursor.skipToLineEnd();
      if (!isBreak(cursor.peek())) return;
      cursor.readBreak();
      if (this.#flowLevel === 0) this.#simpleKeyAllowed = true;
    }
  }

  #fetchNext(): void {
    const cursor = this.#cursor;
    if (!this.#started) {
      this.#started = true;
      this.#addSimple('stream-start', 0);
      return;
    }
    this.#skipToToken();
    this.#unrollIndent(cursor.column);
    if (cursor.index >= cursor.text.length) this.#fetchStreamEnd();
    else if (cursor.column === 0 && cursor.peek() === PERCENT) this.#fetchDirective();
    else if (cursor.atDocumentIndicator(DASH)) this.#fetchDocumentIndicator('document-start');
    else if (cursor.atDocumentIndicator(DOT)) this.#fetchDocumentIndicator('document-end');
    else if (!this.#fetchStructure() && !this.#fetchContent()) {
      throw yamlError('ScannerError', this.#source, 'found character that cannot start any token', cursor.mark(), {
        text: 'while scanning for the next token',
        mark: cursor.mark(),
      });
    }
  }

  /** Takes an indicator that builds collections; false when none stands here. */
  #fetchStructure(): boolean {
    const indicates = this.#flowLevel > 0 || isBlankOrEnd(this.#cursor.peek(1));
    switch (this.#cursor.text[this.#cursor.index]) {
      case '[':
        this.#fetchFlowStart('flow-sequence-start');
        return true;
      case '{':
        this.#fetchFlowStart('flow-mapping-start');
        return true;
      case ']':
        this.#fetchFlowEnd('flow-sequence-end');
        return true;
      case '}':
        this.#fetchFlowEnd('flow-mapping-end');
        return true;
      case ',':
        this.#dropSimpleKey(this.#flowLevel);
        this.#simpleKeyAllowed = true;
        this.#addSimple('flow-entry', 1);
        return true;
      case '-':
        if (!isBlankOrEnd(this.#cursor.peek(1))) return false;
        this.#fetchBlockEntry();
        return true;
      case '?':
        if (indicates) this.#fetchKey();
        return indicates;
      case ':':
        if (indicates) this.#fetchValue();
        return indicates;
      default:
        return false;
    }
  }

  /** Takes a scalar, an alias or a node's property; false when none can begin here. */
  #fetchContent(): boolean {
    const cursor = this.#cursor;
    const inFlow = this.#flowLevel > 0;
    const next = cursor.peek();
    switch (String.fromCharCode(next)) {
      case '*':
        this.#fetchAsKeyCandidate(() => scanAnchor(cursor, this.#source, 'alias'));
        return true;
      case '&':
        this.#fetchAsKeyCandidate(() => scanAnchor(cursor, this.#source, 'anchor'));
        return true;
      case '!':
        this.#fetchAsKeyCandidate(() => scanTag(cursor, this.#source, inFlow));
        return true;
      case '|':
      case '>':
        if (!inFlow) this.#fetchBlockScalar();
        return !inFlow;
      case "'":
      case '"':
        this.#fetchAsKeyCandidate(() => scanQuotedScalar(cursor, this.#source));
        return true;
      default: {
        const startsPlain =
          !(isBlankOrEnd(next) || PLAIN_START_FORBIDDEN.has(next)) ||
          (next === DASH && !isBlank(cursor.peek(1))) ||
          (!inFlow && (next === QUESTION || next === COLON) && !isBlankOrEnd(cursor.peek(1)));
        if (startsPlain) this.#fetchPlainScalar();
        return startsPlain;
      }
    }
  }

  #fetchStreamEnd(): void {
    // The end ends its line too, so that a key still waiting for its colon is reported.
    if (this.#cursor.column !== 0) this.#cursor.line += 1;
    this.#unrollIndent(-1);
    this.#dropSimpleKey(this.#flowLevel);
    this.#simpleKeyAllowed = false;
    this.#addSimple('stream-end', 0);
    this.#ended = true;
  }

  #fetchDirective(): void {
    this.#unrollIndent(-1);
    this.#dropSimpleKey(this.#flowLevel);
    this.#simpleKeyAllowed = false;
    this.#add(scanDirective(this.#cursor, this.#source));
  }

  #fetchDocumentIndicator(type: 'document-start' | 'document-end'): void {
    this.#unrollIndent(-1);
    this.#dropSimpleKey(this.#flowLevel);
    this.#simpleKeyAllowed = false;
    this.#addSimple(type, 3);
  }

  #fetchFlowStart(type: SimpleTokenType): void {
    this.#saveSimpleKey();
    this.#simpleKeys.push(undefined);
    this.#simpleKeyAllowed = true;
    this.#addSimple(type, 1);
  }

  #fetchFlowEnd(type: SimpleTokenType): void {
    this.#dropSimpleKey(this.#flowLevel);
    if (this.#flowLevel > 0) this.#simpleKeys.pop();
    this.#simpleKeyAllowed = false;
    this.#addSimple(type, 1);
  }

  #fetchBlockEntry(): void {
    // In a flow collection the parser reports the misplaced dash.
    if (this.#flowLevel === 0) {
      this.#requireKeyAllowed('block sequence entries are not allowed in this context');
      this.#rollIndent(this.#cursor.column, 'block-sequence-start', this.#cursor.mark());
    }
    this.#dropSimpleKey(this.#flowLevel);
    this.#simpleKeyAllowed = true;
    this.#addSimple('block-entry', 1);
  }

  #fetchKey(): void {
    if (this.#flowLevel === 0) {
      this.#requireKeyAllowed('mapping keys are not allowed in this context');
      this.#rollIndent(this.#cursor.column, 'block-mapping-start', this.#cursor.mark());
    }
    this.#dropSimpleKey(this.#flowLevel);
    this.#simpleKeyAllowed = this.#flowLevel === 0;
    this.#addSimple('key', 1);
  }

  #fetchValue(): void {
    const level = this.#flowLevel;
    const key = this.#isKeyStillPossible(level) ? this.#simpleKeys[level] : undefined;
    if (key !== undefined) {
      this.#insert(key.tokenNumber, { type: 'key', start: key.mark, end: key.mark });
      this.#rollIndent(key.mark.column, 'block-mapping-start', key.mark, key.tokenNumber);
      this.#simpleKeys[level] = undefined;
      this.#simpleKeyAllowed = false;
    } else {
      if (level === 0) {
        this.#requireKeyAllowed('mapping values are not allowed in this context');
        this.#rollIndent(this.#cursor.column, 'block-mapping-start', this.#cursor.mark());
      }
      this.#simpleKeyAllowed = level === 0;
    }
    this.#addSimple('value', 1);
  }

  #fetchAsKeyCandidate(scan: () => Token): void {
    this.#saveSimpleKey();
    this.#simpleKeyAllowed = false;
    this.#add(scan());
  }

  #fetchBlockScalar(): void {
    this.#dropSimpleKey(this.#flowLevel);
    this.#simpleKeyAllowed = true;
    this.#add(scanBlockScalar(this.#cursor, this.#source, this.#indent));
  }

  #fetchPlainScalar(): void {
    this.#saveSimpleKey();
    this.#simpleKeyAllowed = false;
    const context = { source: this.#source, inFlow: this.#flowLevel > 0, indent: this.#indent };
    const { token, endsAtLineStart } = scanPlainScalar(this.#cursor, context);
    if (endsAtLineStart) this.#simpleKeyAllowed = true;
    this.#add(token);
  }

  #requireKeyAllowed(problem: string): void {
    if (!this.#simpleKeyAllowed) throw yamlError('ScannerError', this.#source, problem, this.#cursor.mark());
  }
}

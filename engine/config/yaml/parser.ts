import type { YamlEvent } from './event.ts';
import { type Mark, type Span, yamlError } from './mark.ts';
import { Scanner } from './scanner.ts';
import type { Token, TokenType } from './token.ts';

type State = () => YamlEvent;

const DOCUMENT_BOUNDARIES: readonly TokenType[] = [
  'version-directive',
  'tag-directive',
  'document-start',
  'document-end',
  'stream-end',
];

/** Turns tokens into events by libyaml's grammar. A stack of states, so depth costs no call stack. */
export class Parser {
  readonly #scanner: Scanner;
  readonly #source: string;
  readonly #states: State[] = [];
  readonly #marks: Mark[] = [];
  #state: State | undefined = () => this.#streamStart();
  #tagPrefixes = new Map<string, string>();

  constructor(text: string, source: string) {
    this.#scanner = new Scanner(text, source);
    this.#source = source;
  }

  /** The next event; `undefined` after the stream's end. */
  next(): YamlEvent | undefined {
    return this.#state?.();
  }

  #peek(...types: readonly TokenType[]): boolean {
    return types.includes(this.#scanner.peek().type);
  }

  #pop(): State | undefined {
    return this.#states.pop();
  }

  #fail(problem: string, token: Token, context?: { readonly text: string; readonly mark?: Mark | undefined }): never {
    throw yamlError('ParserError', this.#source, problem, token.start, context);
  }

  #streamStart(): YamlEvent {
    const token = this.#scanner.take();
    this.#state = () => this.#documentStart(true);
    return { type: 'stream-start', start: token.start, end: token.end };
  }

  #documentStart(implicit: boolean): YamlEvent {
    if (!implicit) while (this.#peek('document-end')) this.#scanner.take();
    const first = this.#scanner.peek();
    if (implicit && !this.#peek('version-directive', 'tag-directive', 'document-start', 'stream-end')) {
      this.#processDirectives();
      this.#states.push(() => this.#documentEnd());
      this.#state = () => this.#node(true, false);
      return { type: 'document-start', start: first.start, end: first.start };
    }
    if (first.type === 'stream-end') {
      this.#scanner.take();
      this.#state = undefined;
      return { type: 'stream-end', start: first.start, end: first.end };
    }
    this.#processDirectives();
    const token = this.#scanner.peek();
    if (token.type !== 'document-start') this.#fail('did not find expected <document start>', token);
    this.#states.push(() => this.#documentEnd());
    this.#state = () => this.#documentContent();
    this.#scanner.take();
    return { type: 'document-start', start: first.start, end: token.end };
  }

  #documentContent(): YamlEvent {
    if (!this.#peek(...DOCUMENT_BOUNDARIES)) return this.#node(true, false);
    this.#state = this.#pop();
    return emptyScalar(this.#scanner.peek().start);
  }

  #documentEnd(): YamlEvent {
    const token = this.#scanner.peek();
    if (token.type === 'document-end') this.#scanner.take();
    this.#state = () => this.#documentStart(false);
    return { type: 'document-end', start: token.start, end: token.type === 'document-end' ? token.end : token.start };
  }

  #processDirectives(): void {
    const prefixes = new Map<string, string>();
    let sawVersion = false;
    for (;;) {
      const token = this.#scanner.peek();
      if (token.type === 'version-directive') {
        if (sawVersion) this.#fail('found duplicate %YAML directive', token);
        if (token.major !== 1 || (token.minor !== 1 && token.minor !== 2)) {
          this.#fail('found incompatible YAML document', token);
        }
        sawVersion = true;
      } else if (token.type === 'tag-directive') {
        if (prefixes.has(token.handle)) this.#fail('found duplicate %TAG directive', token);
        prefixes.set(token.handle, token.prefix);
      } else {
        break;
      }
      this.#scanner.take();
    }
    this.#tagPrefixes = new Map([['!', '!'], ['!!', 'tag:yaml.org,2002:'], ...prefixes]);
  }

  /** A node: in block context it may be a block collection, after `key:` also a sequence at the key's own column. */
  #node(inBlock: boolean, indentless: boolean): YamlEvent {
    const first = this.#scanner.peek();
    if (first.type === 'alias') {
      this.#scanner.take();
      this.#state = this.#pop();
      return { type: 'alias', anchor: first.value, start: first.start, end: first.end };
    }
    const { anchor, rawTag, tagSpan, end } = this.#properties(first);
    const tag = rawTag === '!' ? undefined : rawTag;
    const token = this.#scanner.peek();
    const properties = { anchor, tag, tagSpan, start: first.start, contentStart: token.start };
    if (indentless && token.type === 'block-entry') {
      this.#state = () => this.#indentlessSequenceEntry();
      return { type: 'sequence-start', flow: false, ...properties, end: token.end };
    }
    switch (token.type) {
      case 'scalar': {
        this.#scanner.take();
        this.#state = this.#pop();
        const plainImplicit = rawTag === '!' || (rawTag === undefined && token.style === 'plain');
        const quotedImplicit = rawTag === undefined && !plainImplicit;
        const { value, style } = token;
        return { type: 'scalar', value, style, plainImplicit, quotedImplicit, ...properties, end: token.end };
      }
      case 'flow-sequence-start':
        this.#state = () => this.#flowSequenceEntry(true);
        return { type: 'sequence-start', flow: true, ...properties, end: token.end };
      case 'flow-mapping-start':
        this.#state = () => this.#flowMappingKey(true);
        return { type: 'mapping-start', flow: true, ...properties, end: token.end };
      case 'block-sequence-start':
        if (!inBlock) break;
        this.#state = () => this.#blockSequenceEntry(true);
        return { type: 'sequence-start', flow: false, ...properties, end: token.end };
      case 'block-mapping-start':
        if (!inBlock) break;
        this.#state = () => this.#blockMappingKey(true);
        return { type: 'mapping-start', flow: false, ...properties, end: token.end };
      default:
        break;
    }
    if (anchor !== undefined || rawTag !== undefined) {
      this.#state = this.#pop();
      return { ...emptyScalar(end), ...properties, contentStart: end, plainImplicit: rawTag === undefined, end };
    }
    this.#fail('did not find expected node content', token, {
      text: inBlock ? 'while parsing a block node' : 'while parsing a flow node',
      mark: first.start,
    });
  }

  /** An anchor and a tag, in either order. */
  #properties(first: Token): {
    readonly anchor: string | undefined;
    readonly rawTag: string | undefined;
    readonly tagSpan: Span | undefined;
    readonly end: Mark;
  } {
    let anchor: string | undefined;
    let tag: (Token & { readonly type: 'tag' }) | undefined;
    let end = first.start;
    for (;;) {
      const token = this.#scanner.peek();
      if (token.type === 'anchor' && anchor === undefined) anchor = token.value;
      else if (token.type === 'tag' && tag === undefined) tag = token;
      else break;
      end = token.end;
      this.#scanner.take();
    }
    const rawTag = tag === undefined ? undefined : this.#resolveTag(tag, first.start);
    return { anchor, rawTag, tagSpan: tag && { start: tag.start, end: tag.end }, end };
  }

  #resolveTag(token: Token & { readonly type: 'tag' }, nodeStart: Mark): string {
    if (token.handle === '') return token.suffix;
    const prefix = this.#tagPrefixes.get(token.handle);
    if (prefix === undefined) {
      this.#fail('found undefined tag handle', token, { text: 'while parsing a node', mark: nodeStart });
    }
    return prefix + token.suffix;
  }

  #blockSequenceEntry(first: boolean): YamlEvent {
    if (first) this.#marks.push(this.#scanner.take().start);
    const token = this.#scanner.peek();
    if (token.type === 'block-entry') {
      this.#scanner.take();
      const again = () => this.#blockSequenceEntry(false);
      return this.#blockNode(again, token.end, false, ['block-entry', 'block-end']);
    }
    if (token.type === 'block-end') return this.#collectionEnd('sequence-end');
    this.#fail("did not find expected '-' indicator", token, {
      text: 'while parsing a block collection',
      mark: this.#marks.pop(),
    });
  }

  #indentlessSequenceEntry(): YamlEvent {
    const token = this.#scanner.peek();
    if (token.type === 'block-entry') {
      this.#scanner.take();
      const again = () => this.#indentlessSequenceEntry();
      return this.#blockNode(again, token.end, false, ['block-entry', 'key', 'value', 'block-end']);
    }
    this.#state = this.#pop();
    return { type: 'sequence-end', start: token.start, end: token.start };
  }

  #blockMappingKey(first: boolean): YamlEvent {
    if (first) this.#marks.push(this.#scanner.take().start);
    const token = this.#scanner.peek();
    if (token.type === 'key') {
      this.#scanner.take();
      return this.#blockNode(() => this.#blockMappingValue(), token.end, true, ['key', 'value', 'block-end']);
    }
    if (token.type === 'block-end') return this.#collectionEnd('mapping-end');
    this.#fail('did not find expected key', token, { text: 'while parsing a block mapping', mark: this.#marks.pop() });
  }

  #blockMappingValue(): YamlEvent {
    const token = this.#scanner.peek();
    const again = () => this.#blockMappingKey(false);
    if (token.type === 'value') {
      this.#scanner.take();
      return this.#blockNode(again, token.end, true, ['key', 'value', 'block-end']);
    }
    this.#state = again;
    return emptyScalar(token.start);
  }

  /** A block collection's next node, or an empty one when the next token shows that there is none. */
  #blockNode(next: State, emptyAt: Mark, indentless: boolean, stops: readonly TokenType[]): YamlEvent {
    if (this.#peek(...stops)) {
      this.#state = next;
      return emptyScalar(emptyAt);
    }
    this.#states.push(next);
    return this.#node(true, indentless);
  }

  #collectionEnd(type: 'sequence-end' | 'mapping-end'): YamlEvent {
    const token = this.#scanner.take();
    this.#marks.pop();
    this.#state = this.#pop();
    return { type, start: token.start, end: token.end };
  }

  #flowSequenceEntry(first: boolean): YamlEvent {
    if (first) this.#marks.push(this.#scanner.take().start);
    if (!this.#peek('flow-sequence-end')) {
      if (!first) this.#takeComma('while parsing a flow sequence', "did not find expected ',' or ']'");
      const token = this.#scanner.peek();
      if (token.type === 'key') {
        this.#scanner.take();
        this.#state = () => this.#flowPairKey();
        return {
          type: 'mapping-start',
          flow: true,
          anchor: undefined,
          tag: undefined,
          tagSpan: undefined,
          start: token.start,
          contentStart: token.start,
          end: token.end,
        };
      }
      if (token.type !== 'flow-sequence-end') {
        this.#states.push(() => this.#flowSequenceEntry(false));
        return this.#node(false, false);
      }
    }
    return this.#collectionEnd('sequence-end');
  }

  #takeComma(text: string, problem: string): void {
    const token = this.#scanner.peek();
    if (token.type !== 'flow-entry') this.#fail(problem, token, { text, mark: this.#marks.pop() });
    this.#scanner.take();
  }

  /** The key of a single pair inside a flow sequence: `[a: 1]`. */
  #flowPairKey(): YamlEvent {
    const next = () => this.#flowPairValue();
    if (!this.#peek('value', 'flow-entry', 'flow-sequence-end')) {
      this.#states.push(next);
      return this.#node(false, false);
    }
    // libyaml takes the token here although there is no key; so `[? : x]` is an error there and here.
    const token = this.#scanner.take();
    this.#state = next;
    return emptyScalar(token.end);
  }

  #flowPairValue(): YamlEvent {
    const next = () => this.#flowPairEnd();
    if (this.#peek('value')) {
      this.#scanner.take();
      if (!this.#peek('flow-entry', 'flow-sequence-end')) {
        this.#states.push(next);
        return this.#node(false, false);
      }
    }
    this.#state = next;
    return emptyScalar(this.#scanner.peek().start);
  }

  #flowPairEnd(): YamlEvent {
    const { start } = this.#scanner.peek();
    this.#state = () => this.#flowSequenceEntry(false);
    return { type: 'mapping-end', start, end: start };
  }

  #flowMappingKey(first: boolean): YamlEvent {
    if (first) this.#marks.push(this.#scanner.take().start);
    if (!this.#peek('flow-mapping-end')) {
      if (!first) this.#takeComma('while parsing a flow mapping', "did not find expected ',' or '}'");
      if (this.#peek('key')) {
        this.#scanner.take();
        const next = () => this.#flowMappingValue(false);
        if (!this.#peek('value', 'flow-entry', 'flow-mapping-end')) {
          this.#states.push(next);
          return this.#node(false, false);
        }
        this.#state = next;
        return emptyScalar(this.#scanner.peek().start);
      }
      if (!this.#peek('flow-mapping-end')) {
        this.#states.push(() => this.#flowMappingValue(true));
        return this.#node(false, false);
      }
    }
    return this.#collectionEnd('mapping-end');
  }

  #flowMappingValue(withoutIndicator: boolean): YamlEvent {
    const next = () => this.#flowMappingKey(false);
    if (!withoutIndicator && this.#peek('value')) {
      this.#scanner.take();
      if (!this.#peek('flow-entry', 'flow-mapping-end')) {
        this.#states.push(next);
        return this.#node(false, false);
      }
    }
    this.#state = next;
    return emptyScalar(this.#scanner.peek().start);
  }
}

function emptyScalar(mark: Mark): YamlEvent & { readonly type: 'scalar' } {
  return {
    type: 'scalar',
    value: '',
    style: 'plain',
    plainImplicit: true,
    quotedImplicit: false,
    anchor: undefined,
    tag: undefined,
    tagSpan: undefined,
    start: mark,
    contentStart: mark,
    end: mark,
  };
}

import type { ConfigNode } from '../../node/node.ts';
import type { ResolveContext } from '../../resolve/context.ts';
import { resolve } from '../../resolve/operations.ts';
import { analyzeScalar } from './analysis.ts';
import {
  type EmittedMapping,
  type EmittedNode,
  type EmittedScalar,
  type EmittedSequence,
  type FlowStyle,
  represent,
} from './represent.ts';
import { writeDoubleQuoted, writeLiteral, writePlain, writeSingleQuoted } from './scalarText.ts';
import { YamlWriter } from './writer.ts';

export interface ToYamlOptions {
  /** With a context, interpolations are written as their values. Otherwise as they stand. */
  readonly resolve?: ResolveContext;
  readonly sortKeys?: boolean;
  readonly flowStyle?: FlowStyle;
  /** Lines longer than this fold; 80 if absent. */
  readonly width?: number;
}

/** A key that is longer goes behind a `?`. Counted in UTF-8 bytes. */
const LONGEST_SIMPLE_KEY = 128;

/**
 * The config as YAML, byte for byte as OmegaConf.to_yaml writes it: block style, two spaces, lines folded at 80, and
 * whatever another reader could take for a number or a bool quoted. Throws what resolving throws.
 */
export function toYaml(node: ConfigNode, options: ToYamlOptions = {}): string {
  const { resolve: context, sortKeys = false, flowStyle = 'block', width } = options;
  const config = context === undefined || node.kind === 'scalar' ? node : resolve(node, context);
  const emitter = new Emitter(new YamlWriter(width));
  emitter.emitDocument(represent(config, { sortKeys, flowStyle }));
  return emitter.text;
}

interface Surroundings {
  readonly inMapping?: boolean;
  readonly isSimpleKey?: boolean;
}

class Emitter {
  readonly #writer: YamlWriter;
  #flowLevel = 0;

  constructor(writer: YamlWriter) {
    this.#writer = writer;
  }

  get text(): string {
    return this.#writer.toString();
  }

  emitDocument(root: EmittedNode): void {
    this.#emit(root, {});
    this.#writer.writeIndent();
  }

  #emit(node: EmittedNode, surroundings: Surroundings): void {
    if (node.kind === 'scalar') this.#emitScalar(node, surroundings.isSimpleKey ?? false);
    else if (node.kind === 'sequence') this.#emitSequence(node, surroundings);
    else this.#emitMapping(node);
  }

  #emitSequence(node: EmittedSequence, { inMapping = false }: Surroundings): void {
    const writer = this.#writer;
    if (this.#flowLevel > 0 || node.flow || node.items.length === 0) {
      this.#emitFlow('[', ']', node.items, (item) => this.#emit(item, {}));
      return;
    }
    // A list under a key stays at the key's column.
    writer.increaseIndent(false, inMapping && !writer.indention);
    for (const item of node.items) {
      writer.writeIndent();
      writer.writeIndicator('-', { needWhitespace: true, isIndention: true });
      this.#emit(item, {});
    }
    writer.decreaseIndent();
  }

  #emitMapping(node: EmittedMapping): void {
    const writer = this.#writer;
    if (this.#flowLevel > 0 || node.flow || node.pairs.length === 0) {
      this.#emitFlow('{', '}', node.pairs, ([key, value]) => this.#emitFlowPair(key, value));
      return;
    }
    writer.increaseIndent(false, false);
    for (const [key, value] of node.pairs) {
      writer.writeIndent();
      if (isSimpleKey(key)) {
        this.#emit(key, { inMapping: true, isSimpleKey: true });
        writer.writeIndicator(':');
      } else {
        writer.writeIndicator('?', { needWhitespace: true, isIndention: true });
        this.#emit(key, { inMapping: true });
        writer.writeIndent();
        writer.writeIndicator(':', { needWhitespace: true, isIndention: true });
      }
      this.#emit(value, { inMapping: true });
    }
    writer.decreaseIndent();
  }

  #emitFlow<T>(open: string, close: string, parts: readonly T[], emitPart: (part: T) => void): void {
    const writer = this.#writer;
    writer.writeIndicator(open, { needWhitespace: true, isWhitespace: true });
    writer.increaseIndent(true, false);
    this.#flowLevel += 1;
    parts.forEach((part, index) => {
      if (index > 0) writer.writeIndicator(',');
      if (writer.column > writer.width) writer.writeIndent();
      emitPart(part);
    });
    this.#flowLevel -= 1;
    writer.decreaseIndent();
    writer.writeIndicator(close);
  }

  #emitFlowPair(key: EmittedScalar, value: EmittedNode): void {
    const writer = this.#writer;
    if (isSimpleKey(key)) {
      this.#emit(key, { inMapping: true, isSimpleKey: true });
      writer.writeIndicator(':');
    } else {
      writer.writeIndicator('?', { needWhitespace: true });
      this.#emit(key, { inMapping: true });
      if (writer.column > writer.width) writer.writeIndent();
      writer.writeIndicator(':', { needWhitespace: true });
    }
    this.#emit(value, { inMapping: true });
  }

  #emitScalar(node: EmittedScalar, isSimpleKeyHere: boolean): void {
    const writer = this.#writer;
    const style = this.#chooseStyle(node, isSimpleKeyHere);
    if (node.tag !== undefined) {
      if (!writer.whitespace) writer.put(' ');
      writer.put(node.tag);
      writer.whitespace = false;
      writer.indention = false;
    }
    writer.increaseIndent(true, false);
    const allowBreaks = !isSimpleKeyHere;
    if (style === 'plain') writePlain(writer, node.text, allowBreaks, this.#flowLevel > 0);
    else if (style === 'single') writeSingleQuoted(writer, node.text, allowBreaks);
    else if (style === 'double') writeDoubleQuoted(writer, node.text, allowBreaks);
    else writeLiteral(writer, node.text);
    writer.decreaseIndent();
  }

  #chooseStyle(node: EmittedScalar, isSimpleKeyHere: boolean): 'plain' | 'single' | 'double' | 'literal' {
    const analysis = analyzeScalar(node.text);
    const inFlow = this.#flowLevel > 0;
    let style: 'plain' | 'single' | 'double' | 'literal' = node.style;
    if (isSimpleKeyHere && analysis.multiline) return 'double';
    if (style === 'plain') {
      const allowed = inFlow ? analysis.flowPlainAllowed : analysis.blockPlainAllowed;
      const emptyInPlace = node.text === '' && (inFlow || isSimpleKeyHere);
      if (!allowed || emptyInPlace || (node.tag === undefined && !node.plainImplicit)) style = 'single';
    }
    if (style === 'single' && !analysis.singleQuotedAllowed) return 'double';
    if (style === 'literal' && (!analysis.blockAllowed || inFlow || isSimpleKeyHere)) return 'double';
    return style;
  }
}

function isSimpleKey({ text, tag }: EmittedScalar): boolean {
  if (analyzeScalar(text).multiline) return false;
  return Buffer.byteLength(text) + (tag?.length ?? 0) <= LONGEST_SIMPLE_KEY;
}

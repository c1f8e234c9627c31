import { EngineError } from '../../api/errors.ts';
import { Dataset } from '../dataset/dataset.ts';
import type { HostTensor } from '../hostTensor.ts';
import { checkOptions, requireText, requireWhole } from '../options.ts';
import { readTextFile } from './textFile.ts';

/** Characters and their numbers, in code point order. */
export class CharVocabulary {
  readonly characters: readonly string[];
  readonly #numbers: ReadonlyMap<string, number>;

  constructor(text: string) {
    this.characters = [...new Set(text)].sort();
    this.#numbers = new Map(this.characters.map((character, i) => [character, i]));
  }

  get size(): number {
    return this.characters.length;
  }

  /** Numbers of the characters; throws `data.text.character` for one that the vocabulary lacks. */
  encode(text: string): Int32Array {
    return Int32Array.from([...text], (character) => {
      const number = this.#numbers.get(character);
      if (number === undefined) {
        throw new EngineError(
          'data.text.character',
          `The character ${JSON.stringify(character)} is not in the vocabulary of ${this.size}.`,
          { character },
        );
      }
      return number;
    });
  }

  decode(numbers: Iterable<number>): string {
    return Array.from(numbers, (number) => this.characters[number] ?? '').join('');
  }
}

export interface CharDatasetOptions {
  readonly path: string;
  /** Characters in a sample. */
  readonly sequence_length: number;
  /** From one sample's start to the next; sequence_length when absent, so that samples do not overlap. */
  readonly stride?: number | null;
  /** Part of the text to use, as fractions of its length; the vocabulary is always that of the whole text. */
  readonly from?: number;
  readonly to?: number;
}

/**
 * Windows of a text for a next-character model. A sample is [input int32 [sequence_length], target int32
 * [sequence_length]], the target one character further on.
 */
export class CharDataset extends Dataset<readonly [HostTensor, HostTensor]> {
  readonly vocabulary: CharVocabulary;
  readonly length: number;
  readonly #text: Int32Array;
  readonly #window: number;
  readonly #stride: number;

  constructor(options: CharDatasetOptions) {
    super();
    checkOptions('CharDataset', options, ['path', 'sequence_length', 'stride', 'from', 'to']);
    this.#window = requireWhole('CharDataset', 'sequence_length', options.sequence_length, 1);
    this.#stride = requireWhole('CharDataset', 'stride', options.stride ?? this.#window, 1);
    const text = readTextFile(requireText('CharDataset', 'path', options.path));
    this.vocabulary = new CharVocabulary(text);
    const all = this.vocabulary.encode(text);
    const { from = 0, to = 1 } = options;
    this.#text = all.subarray(Math.floor(all.length * from), Math.floor(all.length * to));
    this.length = Math.max(0, Math.floor((this.#text.length - 1 - this.#window) / this.#stride) + 1);
    if (this.length === 0) {
      throw new EngineError(
        'data.text.short',
        `${options.path} gives ${this.#text.length} characters (from ${from} to ${to}), fewer than one sample of ${this.#window} + 1. Lower sequence_length.`,
        { characters: this.#text.length, sequence_length: this.#window },
      );
    }
  }

  get(index: number): readonly [HostTensor, HostTensor] {
    this.checkIndex(index);
    const start = index * this.#stride;
    return [
      { data: this.#text.subarray(start, start + this.#window), shape: [this.#window] },
      { data: this.#text.subarray(start + 1, start + 1 + this.#window), shape: [this.#window] },
    ];
  }
}

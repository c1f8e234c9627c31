export interface TypedTensor {
  readonly shape: number[];
  readonly values: Float64Array<ArrayBuffer>;
}

/**
 * Numbers as a person types or pastes them, for a tensor of this shape (null: any size): nested JSON lists, or numbers in a
 * row apart by commas, spaces or lines. A row fills the shape, in which one open size then follows from how many there are,
 * the batch's being 1 where another is open too. Throws an Error that says what does not fit.
 */
export function parseTensor(text: string, shape: readonly (number | null)[]): TypedTensor {
  const nested = text.trim().startsWith('[') ? readNested(text) : undefined;
  const values = nested?.values ?? readRow(text);
  if (values.length === 0) throw new Error('Type at least one number.');
  const given = nested !== undefined && nested.shape.length > 1 ? nested.shape : [values.length];
  const wanted = describe(shape);
  if (given.length > 1 || shape.length === 1) {
    const whole = given.length === shape.length - 1 ? [1, ...given] : given;
    if (whole.length === shape.length && whole.every((size, axis) => fits(size, shape[axis])))
      return { shape: whole, values: Float64Array.from(values) };
    throw new Error(`The model takes ${wanted}; these numbers are [${given.join(', ')}].`);
  }
  return { shape: fill(shape, values.length), values: Float64Array.from(values) };
}

/** `[?, 256, 1]` */
export function describe(shape: readonly (number | null)[]): string {
  return `[${shape.map((size) => size ?? '?').join(', ')}]`;
}

function fill(shape: readonly (number | null)[], count: number): number[] {
  const open = shape.filter((size) => size === null).length;
  const sizes = shape.map((size, axis) => (open > 1 && axis === 0 && size === null ? 1 : size));
  const known = sizes.reduce<number>((product, size) => product * (size ?? 1), 1);
  const isOpen = sizes.filter((size) => size === null).length;
  const rest = count / known;
  if (isOpen > 1) throw new Error(`The model takes ${describe(shape)}: write nested lists, [[1, 2], [3, 4]].`);
  if (!Number.isInteger(rest) || (isOpen === 0 && rest !== 1))
    throw new Error(
      `The model takes ${describe(shape)}, ${known} numbers${isOpen === 1 ? ' or a multiple' : ''}; these are ${count}.`,
    );
  return sizes.map((size) => size ?? rest);
}

function fits(size: number, wanted: number | null | undefined): boolean {
  return wanted === null || wanted === size;
}

function readRow(text: string): number[] {
  return text
    .replaceAll(/[[\]]/g, ' ')
    .split(/[\s,;]+/)
    .filter((word) => word !== '')
    .map((word) => {
      const value = Number(word);
      if (Number.isNaN(value)) throw new Error(`'${word}' is no number.`);
      return value;
    });
}

function readNested(text: string): { readonly shape: number[]; readonly values: number[] } {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new Error('This is no JSON: lists of numbers are written [[1, 2], [3, 4]].');
  }
  const values: number[] = [];
  const shape: number[] = [];
  const visit = (value: unknown, axis: number): void => {
    if (typeof value === 'number' && axis === shape.length) {
      values.push(value);
      return;
    }
    if (!Array.isArray(value)) throw new Error('Lists hold numbers or lists, all of them alike.');
    if (values.length === 0 && axis === shape.length) shape.push(value.length);
    if (shape[axis] === undefined) throw new Error('Lists hold numbers or lists, all of them alike.');
    if (shape[axis] !== value.length)
      throw new Error(`Lists have different lengths: ${shape[axis]} and ${value.length}.`);
    for (const item of value) visit(item, axis + 1);
  };
  visit(parsed, 0);
  return { shape, values };
}

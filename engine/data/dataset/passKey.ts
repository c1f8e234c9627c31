/** Which pass over the data is wanted: with the seed, all that an order may depend on. */
export interface PassKey {
  readonly seed: number;
  readonly pass: number;
}

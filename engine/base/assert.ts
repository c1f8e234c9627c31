/** Marks the end of a closed union's switch: a new member becomes a compile error here. */
export function assertUnreachable(value: never): never {
  throw new Error(`Unexpected value: ${JSON.stringify(value)}`);
}

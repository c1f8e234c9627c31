import { fileURLToPath } from 'node:url';

/** A place in a source file, from the stack of an error. */
export interface UserFrame {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** `models/cnn.ts:12:9`, with the whole path. */
  readonly text: string;
}

/** This product's own source folder: the frames that a person did not write. */
const ENGINE_FOLDER = fileURLToPath(new URL('../', import.meta.url));

/** The innermost frame of an error that lies in neither Node, a package nor the engine. */
export function userFrame(error: unknown): UserFrame | undefined {
  if (!(error instanceof Error) || error.stack === undefined) return undefined;
  for (const line of error.stack.split('\n')) {
    const match =
      /^\s+at (?:.*\()?(?<place>(?:file:\/\/)?(?:\/|[A-Za-z]:[\\/]).*?):(?<line>\d+):(?<column>\d+)\)?$/.exec(line);
    const frame = match?.groups === undefined ? undefined : frameOf(match.groups);
    if (frame !== undefined) return frame;
  }
  return undefined;
}

function frameOf(groups: Readonly<Record<string, string>>): UserFrame | undefined {
  const place = groups.place ?? '';
  const file = place.startsWith('file://') ? fileURLToPath(place) : place;
  if (file.startsWith(ENGINE_FOLDER) || /[\\/]node_modules[\\/]/.test(file)) return undefined;
  const line = Number(groups.line);
  const column = Number(groups.column);
  return { file, line, column, text: `${file}:${line}:${column}` };
}

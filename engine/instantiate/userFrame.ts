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

/**
 * The innermost frame of an error that lies in neither Node, a package nor the engine. With `caller`, a folder of the
 * engine's, only what that has called: a frame outside is how the engine came to run at all.
 */
export function userFrame(error: unknown, caller?: string): UserFrame | undefined {
  for (const line of stackLines(error)) {
    if (caller !== undefined && line.includes(caller)) return undefined;
    const frame = frameIn(line);
    if (frame !== undefined) return frame;
  }
  return undefined;
}

/** The error's stack without what lies outside the project's outermost frame: how the engine came to call it. */
export function userStack(error: Error): string {
  const lines = stackLines(error);
  const last = lines.findLastIndex((line) => frameIn(line) !== undefined);
  return last === -1 ? (error.stack ?? error.message) : lines.slice(0, last + 1).join('\n');
}

function stackLines(error: unknown): readonly string[] {
  return error instanceof Error && error.stack !== undefined ? error.stack.split('\n') : [];
}

function frameIn(line: string): UserFrame | undefined {
  const match = /^\s+at (?:.*\()?(?<place>(?:file:\/\/)?(?:\/|[A-Za-z]:[\\/]).*?):(?<line>\d+):(?<column>\d+)\)?$/.exec(
    line,
  );
  return match?.groups === undefined ? undefined : frameOf(match.groups);
}

function frameOf(groups: Readonly<Record<string, string>>): UserFrame | undefined {
  const place = groups.place ?? '';
  const file = place.startsWith('file://') ? fileURLToPath(place) : place;
  if (file.startsWith(ENGINE_FOLDER) || /[\\/]node_modules[\\/]/.test(file)) return undefined;
  const line = Number(groups.line);
  const column = Number(groups.column);
  return { file, line, column, text: `${file}:${line}:${column}` };
}

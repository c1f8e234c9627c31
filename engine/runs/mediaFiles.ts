import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { EngineError } from '../api/errors.ts';
import { MAX_MEDIA_FILE_BYTES, type MediaContent, type MediaNotice } from '../api/media.ts';

const contentTypes: Readonly<Record<string, string>> = {
  '.png': 'image/png',
  '.wav': 'audio/wav',
  '.txt': 'text/plain',
  '.json': 'application/json',
};

/**
 * Reads a logged item's file. `notice` comes from the store, so its path is one that the run itself reported. Throws
 * `media.missing` when the file has gone and `media.too-large` when it has grown beyond what is sent to a page.
 */
export async function readMediaFile(expDir: string, notice: MediaNotice): Promise<MediaContent> {
  const file = join(expDir, notice.path);
  const bytes = await readFile(file).catch((error: unknown) => {
    throw new EngineError(
      'media.missing',
      `The file of '${notice.key}' at step ${notice.step} cannot be read: ${file}. It was deleted, or the folder has moved.`,
      { file },
      { cause: error },
    );
  });
  if (bytes.length > MAX_MEDIA_FILE_BYTES) {
    throw new EngineError('media.too-large', `${file} is too large to be shown here. Open it with another program.`, {
      file,
      bytes: bytes.length,
    });
  }
  return { contentType: contentTypes[extname(file)] ?? 'application/octet-stream', bytes: new Uint8Array(bytes) };
}

import { create } from 'zustand';
import type { MediaNotice } from '../../engine/api/media.ts';
import { api } from '../client/engine.ts';
import { failed, idle, type Load, loaded, loading } from '../lib/load.ts';

/** A file's content as a page uses it. */
export interface MediaFile {
  /** `blob:` address, for pictures, players and links to save. */
  readonly url: string;
  /** The content of text and JSON files. */
  readonly text: string | undefined;
}

interface MediaFilesState {
  readonly files: Readonly<Record<string, Load<MediaFile>>>;
}

/** Files read so far, the oldest given up beyond this number. */
const MOST_FILES = 400;

export const useMediaFiles = create<MediaFilesState>()(() => ({ files: {} }));

/** A file that is written again by a resumed run has another time, so it is read again. */
export function fileId(runId: string, notice: MediaNotice): string {
  return `${runId} ${notice.path} ${notice.time}`;
}

/** Reads the file unless it is there already or on its way. */
export async function needMediaFile(runId: string, notice: MediaNotice): Promise<void> {
  const id = fileId(runId, notice);
  const known = useMediaFiles.getState().files[id];
  if (known && (known.data || known.loading)) return;
  put(id, loading(known ?? idle));
  try {
    const { contentType, bytes } = await api['media.read']({ runId, path: notice.path });
    const isText = contentType.startsWith('text/') || contentType === 'application/json';
    const url = URL.createObjectURL(new Blob([new Uint8Array(bytes)], { type: contentType }));
    put(id, loaded({ url, text: isText ? new TextDecoder().decode(bytes) : undefined }));
    forgetOldest();
  } catch (error) {
    put(id, failed(idle, error));
  }
}

function put(id: string, load: Load<MediaFile>): void {
  useMediaFiles.setState((state) => ({ files: { ...state.files, [id]: load } }));
}

function forgetOldest(): void {
  const { files } = useMediaFiles.getState();
  const ids = Object.keys(files);
  if (ids.length <= MOST_FILES) return;
  const gone = ids.slice(0, ids.length - MOST_FILES);
  for (const id of gone) {
    const url = files[id]?.data?.url;
    if (url !== undefined) URL.revokeObjectURL(url);
  }
  useMediaFiles.setState({ files: Object.fromEntries(Object.entries(files).filter(([id]) => !gone.includes(id))) });
}

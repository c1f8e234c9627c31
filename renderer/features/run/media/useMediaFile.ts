import { useEffect } from 'react';
import type { MediaNotice } from '../../../../engine/api/media.ts';
import { idle, type Load } from '../../../lib/load.ts';
import { fileId, type MediaFile, needMediaFile, useMediaFiles } from '../../../stores/mediaFiles.ts';

/** The content of an item's file, read when it is first shown. */
export function useMediaFile(runId: string, notice: MediaNotice): Load<MediaFile> {
  const id = fileId(runId, notice);
  const file = useMediaFiles((state) => state.files[id]);
  const isKnown = file !== undefined;
  useEffect(() => {
    if (!isKnown) void needMediaFile(runId, notice);
  }, [isKnown, runId, notice]);
  return file ?? idle;
}

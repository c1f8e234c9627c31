import type { MediaNotice } from '../../../../engine/api/media.ts';
import { formatCount, formatDuration } from '../../../../engine/base/format.ts';
import { Spinner } from '../../../ui/states.tsx';
import { useMediaFile } from './useMediaFile.ts';

export function AudioItems({ runId, items }: { readonly runId: string; readonly items: readonly MediaNotice[] }) {
  return (
    <ul className="sounds">
      {items.map((notice) => (
        <Sound key={notice.item} runId={runId} notice={notice} />
      ))}
    </ul>
  );
}

function Sound({ runId, notice }: { readonly runId: string; readonly notice: MediaNotice }) {
  const { data, error } = useMediaFile(runId, notice);
  const { detail, caption, key, step } = notice;
  return (
    <li className="sounds__item">
      {caption && <span className="sounds__caption">{caption}</span>}
      {data && (
        <audio className="sounds__player" controls src={data.url} aria-label={caption ?? `${key}, step ${step}`}>
          <track kind="captions" label={caption ?? key} />
        </audio>
      )}
      {error && <span className="images__gone">{error.message}</span>}
      {!data && !error && <Spinner />}
      {detail.kind === 'audio' && (
        <span className="media__facts">
          {formatDuration(detail.seconds * 1000)} · {formatCount(detail.sampleRate)} Hz
          {detail.channels > 1 && ` · ${detail.channels} channels`}
        </span>
      )}
    </li>
  );
}

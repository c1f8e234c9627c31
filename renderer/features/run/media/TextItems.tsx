import type { MediaNotice } from '../../../../engine/api/media.ts';
import { Spinner } from '../../../ui/states.tsx';
import { useMediaFile } from './useMediaFile.ts';

/** Texts as they were logged; Markdown is shown as its source. */
export function TextItems({ runId, items }: { readonly runId: string; readonly items: readonly MediaNotice[] }) {
  return (
    <div className="texts">
      {items.map((notice) => (
        <Text key={notice.item} runId={runId} notice={notice} />
      ))}
    </div>
  );
}

function Text({ runId, notice }: { readonly runId: string; readonly notice: MediaNotice }) {
  const { data, error } = useMediaFile(runId, notice);
  if (error) return <p className="images__gone">{error.message}</p>;
  if (!data) return <Spinner />;
  const name = `${notice.key}, step ${notice.step}`;
  return (
    <section className="code texts__text" tabIndex={0} aria-label={name}>
      {data.text === '' ? <span className="code__comment">(empty)</span> : data.text}
    </section>
  );
}

import './media.css';
import { useEffect, useMemo, useState } from 'react';
import type { MediaKey, MediaKind } from '../../../../engine/api/media.ts';
import type { RunDetail } from '../../../../engine/api/runModel.ts';
import { useMedia } from '../../../stores/media.ts';
import { isLive } from '../../../stores/runs.ts';
import { SearchInput } from '../../../ui/SearchInput.tsx';
import { EmptyState } from '../../../ui/states.tsx';
import { WhenLoaded } from '../../../ui/WhenLoaded.tsx';
import { MediaCard } from './MediaCard.tsx';

const TITLES: Readonly<Record<MediaKind, string>> = {
  image: 'Images',
  audio: 'Audio',
  text: 'Text',
  table: 'Tables',
  histogram: 'Histograms',
};
const ORDER = Object.keys(TITLES) as MediaKind[];

export function MediaTab({ run }: { readonly run: RunDetail }) {
  const keys = useMedia((state) => state.keys);
  useEffect(() => useMedia.getState().open(run.id), [run.id]);
  return (
    <WhenLoaded load={keys} label="Reading what was logged" onRetry={() => void useMedia.getState().loadKeys()}>
      {(media) =>
        media.length > 0 ? <Media run={run} media={media} /> : <NothingLogged isLive={isLive(run.status)} />
      }
    </WhenLoaded>
  );
}

/** What the run logged besides numbers: one card a name, grouped by kind. */
function Media({ run, media }: { readonly run: RunDetail; readonly media: readonly MediaKey[] }) {
  const [filter, setFilter] = useState('');
  const groups = useMemo(() => grouped(media, filter), [media, filter]);
  return (
    <div className="charts">
      <div className="charts__bar">
        <SearchInput
          label="Filter media"
          placeholder="Filter by name"
          value={filter}
          onChange={setFilter}
          className="charts__filter"
        />
      </div>
      {groups.length === 0 && <EmptyState title="No name matches" />}
      {groups.map(([kind, members]) => (
        <section key={kind} aria-label={TITLES[kind]}>
          <h2 className="charts__group">{TITLES[kind]}</h2>
          <div className={kind === 'image' || kind === 'table' ? 'media__list' : 'media__grid'}>
            {members.map((key) => (
              <MediaCard key={key.key} run={run} media={key} />
            ))}
          </div>
        </section>
      ))}
    </div>
  );
}

function NothingLogged({ isLive: live }: { readonly isLive: boolean }) {
  return (
    <EmptyState
      title="No images, sounds or texts"
      text={
        <>
          {live ? 'This run has logged none so far. ' : 'This run logged none. '}A trainer logs them from any hook:{' '}
          <code>this.log_image('val/samples', images)</code>, and likewise <code>log_audio</code>, <code>log_text</code>
          , <code>log_histogram</code> and <code>log_table</code>.
        </>
      }
    />
  );
}

function grouped(keys: readonly MediaKey[], filter: string): [MediaKind, MediaKey[]][] {
  const wanted = filter.trim().toLowerCase();
  const shown = keys.filter(({ key }) => key.toLowerCase().includes(wanted));
  return ORDER.flatMap((kind): [MediaKind, MediaKey[]][] => {
    const members = shown.filter((key) => key.kind === kind);
    return members.length === 0 ? [] : [[kind, members]];
  });
}

import { useState } from 'react';
import type { MediaNotice } from '../../../../engine/api/media.ts';
import { classNames } from '../../../lib/classNames.ts';
import { Spinner } from '../../../ui/states.tsx';
import { ImageDialog } from './ImageDialog.tsx';
import { imageName, isSmall } from './imageNames.ts';
import { useMediaFile } from './useMediaFile.ts';

/** Pictures with their captions; one opens large by a click or Enter. */
export function ImageGrid({ runId, items }: { readonly runId: string; readonly items: readonly MediaNotice[] }) {
  const [open, setOpen] = useState<number>();
  return (
    <>
      <ul className="images">
        {items.map((notice, index) => (
          <li key={notice.item} className="images__item">
            <Thumbnail runId={runId} notice={notice} onOpen={() => setOpen(index)} />
            {notice.caption && <span className="images__caption">{notice.caption}</span>}
          </li>
        ))}
      </ul>
      <ImageDialog runId={runId} items={items} index={open} onChange={setOpen} />
    </>
  );
}

interface ThumbnailProps {
  readonly runId: string;
  readonly notice: MediaNotice;
  readonly onOpen: () => void;
}

function Thumbnail({ runId, notice, onOpen }: ThumbnailProps) {
  const { data, error } = useMediaFile(runId, notice);
  const name = imageName(notice);
  // captions such as a label are shared by many
  const spoken = notice.caption === undefined ? name : `number ${notice.item + 1}, ${name}`;
  return (
    <button type="button" className="images__button" aria-label={`Open ${spoken}`} title={name} onClick={onOpen}>
      {data && (
        <img
          className={classNames('images__image', isSmall(notice) && 'images__image--pixels')}
          src={data.url}
          alt={name}
        />
      )}
      {error && <span className="images__gone">{error.message}</span>}
      {!data && !error && <Spinner />}
    </button>
  );
}

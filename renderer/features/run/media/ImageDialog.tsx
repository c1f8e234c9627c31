import { ChevronLeft, ChevronRight, Download } from 'lucide-react';
import { useEffect } from 'react';
import type { MediaNotice } from '../../../../engine/api/media.ts';
import { formatBytes, formatCount } from '../../../../engine/base/format.ts';
import { classNames } from '../../../lib/classNames.ts';
import { Button } from '../../../ui/Button.tsx';
import { DialogFrame } from '../../../ui/DialogFrame.tsx';
import { Spinner } from '../../../ui/states.tsx';
import { imageName, isSmall } from './imageNames.ts';
import { useMediaFile } from './useMediaFile.ts';

export interface ImageDialogProps {
  readonly runId: string;
  readonly items: readonly MediaNotice[];
  /** Which one is open; undefined: none. */
  readonly index: number | undefined;
  readonly onChange: (index: number | undefined) => void;
}

/** One picture as large as it fits; the arrow keys go through the others, Escape closes. */
export function ImageDialog({ runId, items, index, onChange }: ImageDialogProps) {
  const notice = index === undefined ? undefined : items[index];
  const go = (by: number) => {
    if (index !== undefined) onChange((index + by + items.length) % items.length);
  };
  useEffect(() => {
    if (index === undefined) return undefined;
    const onKeyDown = (event: KeyboardEvent) => {
      const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
      if (by !== 0) onChange((index + by + items.length) % items.length);
    };
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  }, [index, items.length, onChange]);
  return (
    <DialogFrame
      open={notice !== undefined}
      title={notice && imageName(notice)}
      className="image-dialog"
      onClose={() => onChange(undefined)}
    >
      {notice && (
        <div className="image-dialog__body">
          <LargeImage runId={runId} notice={notice} />
          <div className="image-dialog__bar">
            <Button icon aria-label="Image before" disabled={items.length < 2} onClick={() => go(-1)} autoFocus>
              <ChevronLeft size={15} />
            </Button>
            <Button icon aria-label="Image after" disabled={items.length < 2} onClick={() => go(1)}>
              <ChevronRight size={15} />
            </Button>
            <Facts runId={runId} notice={notice} />
            <Button onClick={() => onChange(undefined)}>Close</Button>
          </div>
        </div>
      )}
    </DialogFrame>
  );
}

interface OneProps {
  readonly runId: string;
  readonly notice: MediaNotice;
}

function LargeImage({ runId, notice }: OneProps) {
  const { data, error } = useMediaFile(runId, notice);
  if (error) return <p>{error.message}</p>;
  if (!data) return <Spinner />;
  const look = classNames('image-dialog__image', isSmall(notice) && 'images__image--pixels');
  return <img className={look} src={data.url} alt={imageName(notice)} />;
}

function Facts({ runId, notice }: OneProps) {
  const { data } = useMediaFile(runId, notice);
  const { detail, step, bytes, path } = notice;
  const size = detail.kind === 'image' ? `${detail.width} × ${detail.height}, ` : '';
  return (
    <span className="image-dialog__facts">
      step {formatCount(step)} · {size}
      {formatBytes(bytes)}
      {data && (
        <a className="image-dialog__save" href={data.url} download={path.split('/').slice(-2).join('_')}>
          <Download size={14} aria-hidden="true" /> Save
        </a>
      )}
    </span>
  );
}

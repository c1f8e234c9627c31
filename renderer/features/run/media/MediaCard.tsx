import { useEffect, useState } from 'react';
import type { MediaKey, MediaNotice } from '../../../../engine/api/media.ts';
import type { RunDetail } from '../../../../engine/api/runModel.ts';
import { formatBytes, formatCount } from '../../../../engine/base/format.ts';
import { idle } from '../../../lib/load.ts';
import { mediaId, useMedia, versionOf } from '../../../stores/media.ts';
import { ErrorNotice, Spinner } from '../../../ui/states.tsx';
import { AudioItems } from './AudioItems.tsx';
import { HistogramSteps } from './HistogramSteps.tsx';
import { ImageGrid } from './ImageGrid.tsx';
import { StepSlider } from './StepSlider.tsx';
import { TableItems } from './TableItems.tsx';
import { TextItems } from './TextItems.tsx';

export interface MediaCardProps {
  readonly run: RunDetail;
  readonly media: MediaKey;
}

/** One name: its items at one step, the newest unless another one is chosen. */
export function MediaCard({ run, media }: MediaCardProps) {
  const { kind, key, items: count, bytes } = media;
  const version = versionOf(media);
  const steps = useMedia((state) => state.steps[mediaId(kind, key)] ?? idle);
  // undefined follows the newest step
  const [chosen, setChosen] = useState<number>();
  useEffect(() => void useMedia.getState().loadSteps(kind, key, version), [kind, key, version]);
  const all = steps.data ?? [];
  const step = chosen !== undefined && all.includes(chosen) ? chosen : all.at(-1);
  return (
    <figure className="media" aria-label={key}>
      <figcaption className="media__head">
        <span className="media__title">{key}</span>
        <span className="media__facts">
          {formatCount(count)} {count === 1 ? 'item' : 'items'} · {formatBytes(bytes)}
        </span>
      </figcaption>
      {all.length > 1 && step !== undefined && (
        <StepSlider
          label={`Step of ${key}`}
          steps={all}
          step={step}
          onChange={(next) => setChosen(next === all.at(-1) ? undefined : next)}
        />
      )}
      {steps.error && (
        <ErrorNotice error={steps.error} onRetry={() => void useMedia.getState().loadSteps(kind, key, version)} />
      )}
      {!steps.data && !steps.error && <Spinner label="Reading the steps" />}
      {step !== undefined && kind === 'histogram' && <HistogramSteps media={media} step={step} />}
      {step !== undefined && kind !== 'histogram' && <ItemsAt run={run} media={media} step={step} />}
    </figure>
  );
}

function ItemsAt({ run, media, step }: MediaCardProps & { readonly step: number }) {
  const { kind, key } = media;
  const version = versionOf(media);
  const load = useMedia((state) => state.items[mediaId(kind, key, step)] ?? idle);
  useEffect(() => void useMedia.getState().loadItems(kind, key, step, version), [kind, key, step, version]);
  if (load.error && !load.data) return <ErrorNotice error={load.error} />;
  if (!load.data) return <Spinner label="Reading the items" />;
  return <Items runId={run.id} kind={kind} items={load.data} />;
}

interface ItemsProps {
  readonly runId: string;
  readonly kind: MediaKey['kind'];
  readonly items: readonly MediaNotice[];
}

function Items({ runId, kind, items }: ItemsProps) {
  switch (kind) {
    case 'image':
      return <ImageGrid runId={runId} items={items} />;
    case 'audio':
      return <AudioItems runId={runId} items={items} />;
    case 'text':
      return <TextItems runId={runId} items={items} />;
    case 'table':
      return <TableItems runId={runId} items={items} />;
    case 'histogram':
      return null;
  }
}

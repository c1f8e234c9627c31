import { useEffect, useMemo } from 'react';
import type { MediaKey } from '../../../../engine/api/media.ts';
import { formatCount } from '../../../../engine/base/format.ts';
import { classNames } from '../../../lib/classNames.ts';
import { formatNumber } from '../../../lib/format.ts';
import { idle } from '../../../lib/load.ts';
import { mediaId, useMedia, versionOf } from '../../../stores/media.ts';
import { ErrorNotice, Spinner } from '../../../ui/states.tsx';
import { useElementWidth } from '../../../ui/useElementWidth.ts';
import { type Histogram, layOutRidges } from './ridges.ts';

const HEIGHT = 170;
const RISE = 70;

/** How the values' spread moved over the steps, and the numbers of the chosen one. */
export function HistogramSteps({ media, step }: { readonly media: MediaKey; readonly step: number }) {
  const { key } = media;
  const version = versionOf(media);
  const load = useMedia((state) => state.histograms[key] ?? idle);
  const { ref, width } = useElementWidth();
  useEffect(() => void useMedia.getState().loadHistograms(key, version), [key, version]);
  const histograms = useMemo(() => histogramsOf(load.data ?? []), [load.data]);
  const layout = useMemo(() => layOutRidges(histograms, { width, height: HEIGHT, rise: RISE }), [histograms, width]);
  return (
    <div className="histogram" ref={ref}>
      {load.error && <ErrorNotice error={load.error} />}
      {!load.data && !load.error && <Spinner />}
      {load.data && layout.ridges.length === 0 && <p className="chart__note">No value is finite.</p>}
      {layout.ridges.length > 0 && width > 0 && (
        <>
          <svg
            className="histogram__picture"
            width={width}
            height={HEIGHT + 4}
            role="img"
            aria-label={`${key} over steps`}
          >
            {layout.ridges.map((ridge) => (
              <g
                key={ridge.step}
                className={classNames('histogram__ridge', ridge.step === step && 'histogram__ridge--on')}
              >
                <title>step {ridge.step}</title>
                <path className="histogram__area" d={ridge.area} />
                <path className="histogram__line" d={ridge.line} />
              </g>
            ))}
          </svg>
          <div className="histogram__axis">
            <span>{formatNumber(layout.low, 3)}</span>
            <span>{formatNumber((layout.low + layout.high) / 2, 3)}</span>
            <span>{formatNumber(layout.high, 3)}</span>
          </div>
        </>
      )}
      <StepNumbers media={media} step={step} />
    </div>
  );
}

/** Of the chosen step itself, which is not among the drawn ones when there are very many. */
function StepNumbers({ media, step }: { readonly media: MediaKey; readonly step: number }) {
  const { key } = media;
  const version = versionOf(media);
  const load = useMedia((state) => state.items[mediaId('histogram', key, step)] ?? idle);
  useEffect(() => void useMedia.getState().loadItems('histogram', key, step, version), [key, step, version]);
  const detail = load.data?.[0]?.detail;
  if (detail?.kind !== 'histogram') return null;
  const { count, notFinite, minimum, maximum, mean, std } = detail;
  return (
    <dl className="histogram__numbers">
      <Fact name="step" value={formatCount(step)} />
      <Fact name="values" value={formatCount(count)} />
      {count > 0 && (
        <>
          <Fact name="mean" value={formatNumber(mean)} />
          <Fact name="std" value={formatNumber(std)} />
          <Fact name="min" value={formatNumber(minimum)} />
          <Fact name="max" value={formatNumber(maximum)} />
        </>
      )}
      {notFinite > 0 && <Fact name="NaN or ∞" value={formatCount(notFinite)} />}
    </dl>
  );
}

function Fact({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div className="histogram__fact">
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function histogramsOf(notices: readonly { readonly step: number; readonly detail: { readonly kind: string } }[]) {
  return notices.flatMap(({ step, detail }) => (isHistogram(detail) ? [{ step, detail }] : []));
}

function isHistogram(detail: { readonly kind: string }): detail is Histogram {
  return detail.kind === 'histogram';
}

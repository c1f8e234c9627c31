import { ChevronLeft, ChevronRight } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import type { SamplePage, SessionInfo } from '../../../engine/api/inferenceModel.ts';
import { formatCount } from '../../../engine/base/format.ts';
import { SAMPLES_PER_PAGE, useInference } from '../../stores/inference.ts';
import { Button } from '../../ui/Button.tsx';
import { Panel } from '../../ui/Panel.tsx';
import { EmptyState, ErrorNotice, LoadingState } from '../../ui/states.tsx';

/** Items of the run's own data, to ask the model about. */
export function SamplePicker({ session }: { readonly session: SessionInfo }) {
  const samples = useInference((state) => state.samples);
  const [chosen, setChosen] = useState<number>();
  const page = samples.data;
  const { loadSamples, predict } = useInference.getState();
  const turn = (offset: number) => page && void loadSamples(page.split, offset);
  return (
    <Panel
      title="Samples"
      className="samples"
      actions={
        <>
          <select
            className="select samples__split"
            aria-label="Split"
            value={page?.split ?? ''}
            onChange={(event) => void loadSamples(event.target.value, 0)}
          >
            {session.splits.map((split) => (
              <option key={split}>{split}</option>
            ))}
          </select>
          {page && (
            <>
              <Button
                icon
                look="quiet"
                aria-label="Previous samples"
                disabled={page.offset === 0}
                onClick={() => turn(Math.max(0, page.offset - SAMPLES_PER_PAGE))}
              >
                <ChevronLeft size={16} />
              </Button>
              <span className="field__hint">
                {formatCount(page.offset + 1)}–{formatCount(page.offset + page.samples.length)} of{' '}
                {formatCount(page.total)}
              </span>
              <Button
                icon
                look="quiet"
                aria-label="Next samples"
                disabled={page.offset + page.samples.length >= page.total}
                onClick={() => turn(page.offset + SAMPLES_PER_PAGE)}
              >
                <ChevronRight size={16} />
              </Button>
            </>
          )}
        </>
      }
    >
      {samples.error && <ErrorNotice error={samples.error} />}
      {!page && samples.loading && <LoadingState label="Reading samples" />}
      {page?.samples.length === 0 && <EmptyState title="This split is empty" />}
      {page && (
        <div className="samples__grid">
          {page.samples.map((sample) => (
            <button
              type="button"
              key={sample.index}
              className="samples__item"
              aria-label={`Sample ${sample.index}${sample.label ? `, ${sample.label}` : ''}`}
              aria-pressed={chosen === sample.index}
              onClick={() => {
                setChosen(sample.index);
                void predict({ type: 'sample', split: page.split, index: sample.index });
              }}
            >
              {sample.pixels && <Thumbnail pixels={sample.pixels} session={session} />}
              {sample.text !== undefined && <span className="samples__text">{sample.text}</span>}
              {sample.label !== undefined && <span className="samples__label">{sample.label}</span>}
            </button>
          ))}
        </div>
      )}
    </Panel>
  );
}

type Pixels = NonNullable<SamplePage['samples'][number]['pixels']>;

function Thumbnail({ pixels, session }: { readonly pixels: Pixels; readonly session: SessionInfo }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const input = session.signature.input;
  const [width, height, channels] = input.type === 'image' ? [input.width, input.height, input.channels] : [0, 0, 1];
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!context || width === 0) return;
    const image = context.createImageData(width, height);
    for (let index = 0; index < width * height; index++) {
      for (let channel = 0; channel < 3; channel++) {
        const value = pixels[index * channels + Math.min(channel, channels - 1)] ?? 0;
        image.data[index * 4 + channel] = Math.round(value * 255);
      }
      image.data[index * 4 + 3] = 255;
    }
    context.putImageData(image, 0, 0);
  }, [pixels, width, height, channels]);
  return <canvas ref={canvas} width={width} height={height} className="samples__image" />;
}

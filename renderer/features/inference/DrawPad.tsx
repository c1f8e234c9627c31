import { Eraser } from 'lucide-react';
import { type KeyboardEvent, type PointerEvent, useCallback, useEffect, useRef } from 'react';
import { throttle } from '../../lib/throttle.ts';
import { useInference } from '../../stores/inference.ts';
import { Button } from '../../ui/Button.tsx';
import { type ImageSize, rasterize } from './rasterize.ts';

const PAD = 280;
const STROKE = 22;
const PREDICT_EVERY_MS = 120;

/** A pad to draw on with mouse, pen or finger; the model answers while the stroke grows. */
export function DrawPad({ size }: { readonly size: ImageSize }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const last = useRef<{ x: number; y: number }>(undefined);
  const predict = useRef(
    throttle(() => {
      if (canvas.current)
        void useInference.getState().predict({ type: 'image', pixels: rasterize(canvas.current, size) });
    }, PREDICT_EVERY_MS),
  );
  const clear = useCallback(() => {
    const context = canvas.current?.getContext('2d', { willReadFrequently: true });
    if (!context) return;
    context.fillStyle = '#000';
    context.fillRect(0, 0, PAD, PAD);
    useInference.getState().clearPrediction();
  }, []);
  useEffect(clear, [clear]);
  useEffect(() => predict.current.cancel, []);

  const draw = (event: PointerEvent<HTMLCanvasElement>) => {
    const context = event.currentTarget.getContext('2d');
    if (!context || !last.current) return;
    const bounds = event.currentTarget.getBoundingClientRect();
    const scale = PAD / bounds.width;
    const point = { x: (event.clientX - bounds.left) * scale, y: (event.clientY - bounds.top) * scale };
    context.strokeStyle = '#fff';
    context.lineWidth = STROKE;
    context.lineCap = 'round';
    context.lineJoin = 'round';
    context.beginPath();
    context.moveTo(last.current.x, last.current.y);
    context.lineTo(point.x, point.y);
    context.stroke();
    last.current = point;
    predict.current();
  };
  const begin = (event: PointerEvent<HTMLCanvasElement>) => {
    event.currentTarget.setPointerCapture(event.pointerId);
    const bounds = event.currentTarget.getBoundingClientRect();
    const scale = PAD / bounds.width;
    last.current = { x: (event.clientX - bounds.left) * scale, y: (event.clientY - bounds.top) * scale };
    draw(event);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Delete' || event.key === 'Backspace') clear();
  };
  return (
    <div className="draw">
      <canvas
        ref={canvas}
        className="draw__pad"
        width={PAD}
        height={PAD}
        tabIndex={0}
        aria-label={`Drawing pad, becomes ${size.width} by ${size.height} pixels. Delete clears it; samples on this page can be chosen by keyboard.`}
        onPointerDown={begin}
        onPointerMove={draw}
        onPointerUp={() => {
          last.current = undefined;
        }}
        onKeyDown={onKeyDown}
      />
      <Button onClick={clear}>
        <Eraser size={15} /> Clear
      </Button>
    </div>
  );
}

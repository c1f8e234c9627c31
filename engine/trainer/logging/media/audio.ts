import { EngineError } from '../../../api/errors.ts';
import type { HostValues } from './mediaValue.ts';

export interface Sound {
  readonly wav: Uint8Array;
  readonly channels: number;
  /** Samples of one channel. */
  readonly frames: number;
}

/**
 * WAV (RIFF, 16-bit PCM, little-endian) of [frames] or [frames, channels]. Floats are -1 to 1, whole numbers 16-bit samples;
 * what lies outside is clipped and NaN is silence. Throws `trainer.media` for another shape or rate.
 * Layout: "Multimedia Programming Interface and Data Specifications 1.0" (IBM, Microsoft, 1991).
 */
export function encodeWav(values: HostValues, sampleRate: number, key: string): Sound {
  const [frames = 0, channels = 1] = values.shape;
  if (values.shape.length === 0 || values.shape.length > 2 || frames === 0 || channels === 0 || channels > 8) {
    throw new EngineError(
      'trainer.media',
      `'${key}': audio has the shape [frames] or [frames, channels] with at most 8 channels; this has [${values.shape.join(', ')}].`,
      { key, shape: values.shape },
    );
  }
  if (!Number.isInteger(sampleRate) || sampleRate < 1 || sampleRate > 768_000) {
    throw new EngineError(
      'trainer.media',
      `'${key}': sample_rate must be a whole number of hertz, not ${sampleRate}.`,
      {
        key,
        sampleRate,
      },
    );
  }
  const size = frames * channels * 2;
  const wav = new Uint8Array(44 + size);
  const view = new DataView(wav.buffer);
  const text = (at: number, letters: string) => {
    for (let i = 0; i < letters.length; i++) wav[at + i] = letters.charCodeAt(i);
  };
  text(0, 'RIFF');
  view.setUint32(4, 36 + size, true);
  text(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, sampleRate * channels * 2, true);
  view.setUint16(32, channels * 2, true);
  view.setUint16(34, 16, true);
  text(36, 'data');
  view.setUint32(40, size, true);
  const factor = values.dtype === 'int32' ? 1 : 32_767;
  for (let i = 0; i < frames * channels; i++) {
    const value = (values.data[i] ?? 0) * factor;
    const clipped = Number.isNaN(value) ? 0 : Math.max(-32_768, Math.min(32_767, Math.round(value)));
    view.setInt16(44 + 2 * i, clipped, true);
  }
  return { wav, channels, frames };
}

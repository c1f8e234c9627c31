import type { MediaNotice } from '../../../../engine/api/media.ts';

export function imageName({ key, step, item, caption }: MediaNotice): string {
  return caption ?? `${key}, step ${step}, number ${item + 1}`;
}

/** Small pictures are enlarged with their pixels sharp. */
export function isSmall({ detail }: MediaNotice): boolean {
  return detail.kind === 'image' && Math.max(detail.width, detail.height) <= 96;
}

import { dotLook, lineLook } from '../../../ui/chartLook.ts';

/** A piece of a run's line with a point, as they are in the charts. */
export function Swatch({ index }: { readonly index: number }) {
  return (
    <svg className="swatch" width="18" height="8" aria-hidden="true">
      <line x1="0" y1="4" x2="18" y2="4" strokeWidth="3" {...lineLook(index)} />
      <circle cx="9" cy="4" r="2.5" strokeWidth="1.5" {...dotLook(index)} />
    </svg>
  );
}

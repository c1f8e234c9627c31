import type { ButtonHTMLAttributes } from 'react';
import { classNames } from '../lib/classNames.ts';

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly look?: 'primary' | 'danger' | 'quiet';
  /** A square button with an icon only: give it an `aria-label`, which is also its tooltip. */
  readonly icon?: boolean;
  /** Does nothing for now, but keeps the focus: a dialog whose focus is lost does not hear Escape. */
  readonly busy?: boolean;
}

export function Button({ look, icon, busy, className, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      title={icon ? rest['aria-label'] : undefined}
      aria-disabled={busy || undefined}
      {...rest}
      onClick={busy ? (event) => event.preventDefault() : rest.onClick}
      className={classNames('button', look && `button--${look}`, icon && 'button--icon', className)}
    />
  );
}

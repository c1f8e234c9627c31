import type { ButtonHTMLAttributes } from 'react';
import { classNames } from '../lib/classNames.ts';

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly look?: 'primary' | 'danger' | 'quiet';
  /** A square button with an icon only: give it an `aria-label`, which is also its tooltip. */
  readonly icon?: boolean;
}

export function Button({ look, icon, className, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      title={icon ? rest['aria-label'] : undefined}
      {...rest}
      className={classNames('button', look && `button--${look}`, icon && 'button--icon', className)}
    />
  );
}

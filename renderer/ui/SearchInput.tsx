import { classNames } from '../lib/classNames.ts';

export interface SearchInputProps {
  /** What it does, for those who do not see the page around it. */
  readonly label: string;
  /** What can be typed; the label unless given. */
  readonly placeholder?: string;
  readonly value: string;
  readonly onChange: (text: string) => void;
  readonly className?: string;
}

/** A field that narrows down what is shown beside it, as somebody types. */
export function SearchInput({ label, placeholder = label, value, onChange, className }: SearchInputProps) {
  return (
    <input
      type="search"
      className={classNames('input', className)}
      aria-label={label}
      placeholder={placeholder}
      value={value}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

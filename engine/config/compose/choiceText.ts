import { pythonListRepr } from '../grammar/pythonText.ts';

/** Python's `str` of a choice: null is `None`, a list its repr. */
export function pythonChoiceText(choice: string | null | readonly string[]): string {
  if (choice === null) return 'None';
  return typeof choice === 'string' ? choice : pythonListRepr(choice);
}

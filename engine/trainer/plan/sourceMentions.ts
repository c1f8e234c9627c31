import { Trainer } from '../trainer.ts';

/**
 * Whether a word stands in the text of a trainer's class, or of the classes it extends below Trainer. A hint, no proof:
 * names may be put together while training.
 */
export function sourceMentions(trainer: object, word: string): boolean {
  const escaped = word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const pattern = new RegExp(`(^|[^\\w$])${escaped}([^\\w$]|$)`);
  for (let type: unknown = trainer.constructor; typeof type === 'function'; type = Object.getPrototypeOf(type)) {
    if (type === Trainer || type === Function.prototype) return false;
    if (pattern.test(Function.prototype.toString.call(type))) return true;
  }
  return false;
}

import type { Command } from 'commander';
import { type Candidate, completeCommandLine } from './completeCommandLine.ts';
import { bashCut, splitLine } from './shellLine.ts';

/**
 * What `__complete SHELL …` prints. bash gives its word breaks and the line; zsh and fish the words after the program's
 * name, the last being typed. Whatever goes wrong means that there is nothing to offer: a half-typed line is often no
 * valid config.
 */
export async function answer(request: readonly string[], program: Command): Promise<string> {
  try {
    const [shell = '', ...rest] = request;
    const isBash = shell === 'bash';
    const words = isBash ? splitLine(rest[1] ?? '').slice(1) : rest;
    const candidates = await completeCommandLine(words, program);
    const cut = isBash ? bashCut(words.at(-1) ?? '', rest[0] ?? '') : 0;
    return candidates.map((candidate) => printed(candidate, cut)).join('');
  } catch {
    return '';
  }
}

function printed({ word, meaning }: Candidate, cut: number): string {
  return `${word.slice(cut)}${meaning ? `\t${meaning}` : ''}\n`;
}

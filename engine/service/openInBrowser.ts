import { platform } from 'node:os';
import { askProgram, findProgram } from '../backend/askProgram.ts';

/** Asks the desktop to open a link. False where there is no program for it, or it failed. */
export async function openInBrowser(link: string): Promise<boolean> {
  const names =
    platform() === 'darwin' ? ['open'] : platform() === 'win32' ? ['explorer'] : ['xdg-open', 'sensible-browser'];
  const program = findProgram(...names);
  if (program === undefined) return false;
  const answer = await askProgram(program, [link], { timeoutMs: 5000 });
  // A browser that stays in the foreground does not answer in time, and has opened.
  return answer.ok || answer.problem.startsWith('no answer within');
}

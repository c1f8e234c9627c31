import { EngineError } from '../../api/errors.ts';
import { findConfigPlace } from '../../service/configPlace.ts';
import { type Explanation, explainPath } from '../../service/explainPath.ts';
import { type ExitCode, exitCodes } from '../exitCodes.ts';
import type { SourceOptions } from '../options.ts';
import type { Terminal } from '../ui/terminal.ts';
import { searchPathOf } from './searchPath.ts';

/** `why`: the value, where it was written, what it stands for, and every value that it beat, the latest first. */
export async function why(
  terminal: Terminal,
  path: string,
  overrides: readonly string[],
  options: SourceOptions & { readonly json?: boolean },
): Promise<ExitCode> {
  if (path.includes('=')) {
    throw new EngineError(
      'usage.arguments',
      `'${path}' is an override; the path comes first: accelhydra why PATH ${path}`,
    );
  }
  const place = await findConfigPlace(process.cwd(), options.project);
  const explanation = explainPath(
    place,
    {
      configName: options.configName ?? place.defaultConfig,
      overrides,
      searchPath: searchPathOf(place.configDir, options),
    },
    path,
  );
  terminal.print(options.json ? JSON.stringify(explanation, null, 2) : describe(terminal, explanation));
  return exitCodes.ok;
}

function describe(terminal: Terminal, explanation: Explanation): string {
  const { path, text, resolved, resolveError, origin, beaten, trail } = explanation;
  const lines = [`${terminal.paint('bold', path)} = ${text}`];
  if (resolved !== undefined) lines.push(`  stands for ${terminal.paint('cyan', resolved)}`);
  if (resolveError !== undefined) lines.push(`  ${terminal.paint('red', 'cannot be resolved:')} ${resolveError}`);
  lines.push(`  from ${origin ?? 'nowhere that is known'}`);
  for (const step of trail)
    lines.push(`  by ${step.path} = ${step.text}  ${terminal.paint('dim', step.origin ?? '')}`.trimEnd());
  for (const loser of beaten)
    lines.push(`  beat ${loser.text}  ${terminal.paint('dim', `from ${loser.origin ?? 'nowhere that is known'}`)}`);
  return lines.join('\n');
}

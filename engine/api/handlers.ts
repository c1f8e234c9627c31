import { z } from 'zod';
import { didYouMean } from '../base/nearest.ts';
import { contract, type EngineApi, type EngineHandlers, type ProcedureName } from './contract.ts';
import { EngineError } from './errors.ts';

const names = Object.keys(contract) as ProcedureName[];

/**
 * The typed API over handlers: every input is validated and completed with its defaults before its handler sees it, and
 * whatever a handler throws arrives as a rejection. Throws `api.invalid-input`.
 */
export function bindHandlers(handlers: EngineHandlers): EngineApi {
  const api: Record<string, unknown> = {};
  for (const name of names) {
    const handle = handlers[name] as (input: unknown, signal: AbortSignal) => unknown;
    api[name] = async (input: unknown, signal?: AbortSignal) =>
      handle(parseInput(name, input), signal ?? new AbortController().signal);
  }
  return api as EngineApi;
}

/** The procedure of that name, from an untrusted text. Throws `api.unknown-procedure`. */
export function procedureNamed(name: string): ProcedureName {
  const found = names.find((known) => known === name);
  if (found) return found;
  throw new EngineError('api.unknown-procedure', `The engine has no procedure '${name}'.${didYouMean(name, names)}`, {
    name,
  });
}

function parseInput(name: ProcedureName, input: unknown): unknown {
  const schema: z.ZodType = contract[name].input;
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const place = issue && issue.path.length > 0 ? ` at '${issue.path.join('.')}'` : '';
  throw new EngineError('api.invalid-input', `'${name}' got a wrong input${place}: ${issue?.message ?? 'unknown'}.`, {
    procedure: name,
    issues: z.prettifyError(parsed.error),
  });
}

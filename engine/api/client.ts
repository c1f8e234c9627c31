import type { Disposable } from '../base/disposable.ts';
import type { Event } from '../base/event.ts';
import { contract, type EngineApi, type ProcedureName } from './contract.ts';
import type { EngineEvent } from './events.ts';

/** Whether calls reach the engine right now; a page shows `reconnecting` and keeps its old data. */
export type ConnectionState = 'connecting' | 'connected' | 'reconnecting' | 'closed';

/** What a transport offers above its `send` and `onMessage`: calls with cancelling, events, and its state. */
export interface EngineConnection extends Disposable {
  call(name: ProcedureName, input: unknown, signal?: AbortSignal): Promise<unknown>;
  readonly onEvent: Event<EngineEvent>;
  readonly onDidChangeState: Event<ConnectionState>;
  readonly state: ConnectionState;
}

/** The typed API over any connection. Inputs are checked before they leave, so a wrong call fails where it is made. */
export function createClient(connection: EngineConnection): EngineApi {
  const api: Record<string, unknown> = {};
  for (const name of Object.keys(contract) as ProcedureName[]) {
    api[name] = (input: unknown, signal?: AbortSignal) => connection.call(name, input, signal);
  }
  return api as EngineApi;
}

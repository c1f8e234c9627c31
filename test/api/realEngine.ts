import { cpSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { EngineEvent } from '../../engine/api/events.ts';
import { createEngine, type Engine, type EngineOptions } from '../../engine/service/index.ts';
import type { ConnectedClient } from '../../engine/transport/localTransport.ts';
import type { Transport } from './transports.ts';

export interface Served extends ConnectedClient {
  readonly engine: Engine;
  /** A copy of the fixture project, gone after the test. */
  readonly root: string;
  readonly events: EngineEvent[];
}

/** The real engine on a copy of the fixture project, behind a transport. */
export async function serveProject(transport: Transport, options: Partial<EngineOptions> = {}): Promise<Served> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'accelhydra-engine-')));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const root = join(folder, 'project');
  cpSync(fileURLToPath(new URL('../fixtures/service/project', import.meta.url)), root, { recursive: true });
  const engine = await createEngine({ projectDir: root, settingsDir: join(folder, 'settings'), ...options });
  onTestFinished(() => engine.dispose());
  const client = await transport.connect(engine);
  const events: EngineEvent[] = [];
  client.connection.onEvent((event) => events.push(event));
  return { ...client, engine, root, events };
}

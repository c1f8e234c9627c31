import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { EngineError, serializeError } from '../../api/errors.ts';
import { encodeGraph } from '../../backend/graph/index.ts';
import { loadBackend } from '../../backend/index.ts';
import { loadYaml, toPlain } from '../../config/index.ts';
import { loadProject, openProjectRuntime, restoreOrigins } from '../../instantiate/index.ts';
import { builtinTargets, type CompiledGraph, writeGraphEvents } from '../../trainer/index.ts';
import {
  type CompileReport,
  type CompileReportMessage,
  CompileReportStart,
  type GraphReport,
} from './compileReportProtocol.ts';
import { timeTraining } from './timedTraining.ts';

/** Trains some steps eagerly and some compiled, in a process of its own. Started by reportCompile. */
async function report(start: CompileReportStart, onNote: (text: string) => void): Promise<CompileReport> {
  const backend = await loadBackend({ threads: start.threads, interOpThreads: 1 });
  if (backend.name !== 'tensorflow') {
    throw new EngineError(
      'compile.backend',
      `Steps are compiled on native TensorFlow only; here they run one operation at a time on ${backend.description}. \`accelhydra doctor\` says why.`,
      { backend: backend.name },
    );
  }
  onNote(`Backend ${backend.description}`);
  const runtime = await openProjectRuntime(loadProject(start.projectRoot), {
    builtins: builtinTargets,
    tensorflow: tf,
  });
  const yaml = loadYaml(start.configYaml, { source: 'config.yaml' });
  restoreOrigins(yaml, start.origins);
  const builder = runtime.builder(yaml);
  const config: Record<string, unknown> = { ...Object(toPlain(builder.resolved())) };
  const mode = modeOf(config.trainer);
  const { steps } = start;
  onNote(`${steps} steps one operation at a time`);
  const eager = { config, instantiate: builder, compile: false, steps };
  const eagerMs = await timeTraining(eager);
  onNote(`${steps} steps compiled`);
  const graphs: CompiledGraph[] = [];
  const notes: string[] = [];
  let refusal: CompileReport['refusal'];
  const compiled = { ...eager, compile: mode === false ? 'auto' : mode } as const;
  const compiledMs = await timeTraining({
    ...compiled,
    onNote: (text) => notes.push(text),
    listener: {
      compiled: (graph) => graphs.push(graph),
      refused: (reason, place) => {
        refusal = { reason, ...(place === undefined ? {} : { place }) };
      },
    },
  });
  const isCompiled = compiledMs !== undefined && refusal === undefined && graphs.length > 0;
  // both once more, the faster time counts: what else the machine did meanwhile is not the training's
  const again = isCompiled ? { eager: await timeTraining(eager), compiled: await timeTraining(compiled) } : undefined;
  if (graphs.length > 0) mkdirSync(start.output, { recursive: true });
  const written = graphs.map((graph, i) => write(graph, join(start.output, `graph_${i + 1}.pb`)));
  const first = graphs[0];
  if (first !== undefined) writeGraphEvents(start.output, encodeGraph(first.nodes));
  return {
    backend: backend.description,
    mode,
    steps,
    graphs: written,
    notes,
    eagerMs: faster(eagerMs, again?.eager),
    ...(refusal === undefined ? {} : { refusal }),
    ...(isCompiled ? { compiledMs: faster(compiledMs, again?.compiled) } : {}),
    ...(first === undefined ? {} : { logdir: start.output }),
  };
}

function faster(...times: readonly (number | undefined)[]): number {
  return Math.min(...times.map((time) => time ?? Number.POSITIVE_INFINITY));
}

function modeOf(trainer: unknown): CompileReport['mode'] {
  const mode: unknown = Reflect.get(Object(trainer), 'compile');
  return typeof mode === 'boolean' ? mode : 'auto';
}

function write(graph: CompiledGraph, file: string): GraphReport {
  writeFileSync(file, encodeGraph(graph.nodes));
  const kinds = new Map<string, number>();
  for (const { op } of graph.nodes) kinds.set(op, (kinds.get(op) ?? 0) + 1);
  const own = new Map<string, { place: string; count: number; bytes: number }>();
  for (const { place, bytes } of graph.constants) {
    if (place === undefined) continue;
    const before = own.get(place);
    own.set(place, { place, count: (before?.count ?? 0) + 1, bytes: (before?.bytes ?? 0) + bytes });
  }
  return {
    signature: graph.signature,
    isHost: graph.isHost,
    parts: [...graph.parts],
    recorded: graph.recorded,
    operations: graph.operations,
    nodes: graph.nodes.length,
    kinds: [...kinds].map(([op, count]) => ({ op, count })).sort((a, b) => b.count - a.count),
    constants: {
      count: graph.constants.length,
      bytes: graph.constants.reduce((sum, { bytes }) => sum + bytes, 0),
      own: [...own.values()].sort((a, b) => b.bytes - a.bytes),
    },
    varying: graph.varying,
    milliseconds: graph.milliseconds,
    file,
  };
}

function failed(error: unknown): CompileReportMessage {
  const { code, message, details } = serializeError(error);
  try {
    return { type: 'failed', failure: { code, message, details: structuredClone({ ...details }) } };
  } catch {
    return { type: 'failed', failure: { code, message, details: {} } };
  }
}

const send = (message: CompileReportMessage, then?: () => void): void => {
  process.send?.(message, undefined, undefined, () => then?.());
};

process.on('disconnect', () => process.exit(0));
process.on('message', (raw) => {
  const start = CompileReportStart.safeParse(raw).data;
  if (start === undefined) return;
  void report(start, (text) => send({ type: 'note', text }))
    .then((done): CompileReportMessage => ({ type: 'done', report: done }))
    .catch(failed)
    .then((message) => send(message, () => process.exit(0)));
});

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../../api/errors.ts';
import { encodeGraph } from '../../backend/graph/index.ts';
import { loadBackend } from '../../backend/index.ts';
import { loadYaml, toPlain } from '../../config/index.ts';
import { restoreOrigins } from '../../instantiate/index.ts';
import { failureOf } from '../../process/childFailure.ts';
import { endWithParent, sendToParent } from '../../process/childLife.ts';
import { type CompiledGraph, openTrainingRuntime, writeGraphEvents } from '../../trainer/index.ts';
import {
  type CompileReport,
  type CompileReportMessage,
  CompileReportStart,
  type GraphReport,
} from './compileReportProtocol.ts';
import { countKinds, OptimisedGraphs } from './optimisedGraphs.ts';
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
  const runtime = await openTrainingRuntime(start.projectRoot);
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
  const optimised = new OptimisedGraphs();
  let refusal: CompileReport['refusal'];
  const compiled = { ...eager, compile: mode === false ? 'auto' : mode } as const;
  const compiledMs = await timeTraining({
    ...compiled,
    onNote: (text) => notes.push(text),
    listener: {
      compiled: (graph) => optimised.begin(graphs.push(graph)),
      refused: (reason, place) => {
        refusal = { reason, ...(place === undefined ? {} : { place }) };
      },
    },
  });
  optimised.end();
  const isCompiled = compiledMs !== undefined && refusal === undefined && graphs.length > 0;
  // both once more, the faster time counts: what else the machine did meanwhile is not the training's
  const again = isCompiled ? { eager: await timeTraining(eager), compiled: await timeTraining(compiled) } : undefined;
  if (graphs.length > 0) mkdirSync(start.output, { recursive: true });
  const written = graphs.map((graph, i) => ({
    ...write(graph, join(start.output, `graph_${i + 1}.pb`)),
    optimised: optimised.find(i + 1, graph.nodes),
  }));
  optimised.dispose();
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
  const own = new Map<string, { place: string; count: number; bytes: number }>();
  for (const { place, bytes } of graph.constants) {
    if (place === undefined) continue;
    const before = own.get(place);
    own.set(place, { place, count: (before?.count ?? 0) + 1, bytes: (before?.bytes ?? 0) + bytes });
  }
  return {
    signature: graph.signature,
    isHost: graph.isHost,
    hostWhy: graph.hostWhy,
    parts: [...graph.parts],
    recorded: graph.recorded,
    operations: graph.operations,
    nodes: graph.nodes.length,
    kinds: countKinds(graph.nodes.map(({ op }) => op)),
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

const send = (message: CompileReportMessage): Promise<void> => sendToParent(message);

endWithParent();
process.on('message', (raw) => {
  const start = CompileReportStart.safeParse(raw).data;
  if (start === undefined) return;
  void report(start, (text) => void send({ type: 'note', text }))
    .then((done): CompileReportMessage => ({ type: 'done', report: done }))
    .catch((error): CompileReportMessage => ({ type: 'failed', failure: failureOf(error) }))
    .then(send)
    .then(() => process.exit(0));
});

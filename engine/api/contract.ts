import { z } from 'zod';
import {
  ComposedConfig,
  ComposeRequest,
  ConfigSchema,
  ConfigSource,
  FileEdit,
  ShortestOverrides,
} from './configModel.ts';
import { PredictInput, Prediction, SamplePage, SessionInfo } from './inferenceModel.ts';
import { ContinueRequest, LaunchPreview, LaunchRequest } from './launchModel.ts';
import { DeviceInfo, DoctorReport } from './machine.ts';
import { MediaContent, MediaKey, MediaNotice, MediaOfKey } from './media.ts';
import { FlightPlan, FlightPlanRequest } from './planModel.ts';
import { type Contract, procedure } from './procedure.ts';
import { ProjectInfo, RecentProject, Settings } from './projectModel.ts';
import {
  CheckpointInfo,
  LogChunk,
  MetricKey,
  RunDetail,
  RunList,
  RunListRequest,
  RunSummary,
  Series,
  SeriesRequest,
} from './runModel.ts';
import { VerifyReport } from './verifyModel.ts';

const Nothing = z.object({});
const OfRun = z.object({ runId: z.string() });
const StartedRun = z.object({
  runId: z.string(),
  /** What a person should know of how it started, such as a damaged checkpoint that was passed over. */
  notes: z.array(z.string()),
  /** Bytes that each log (`rank0.log`) had before, so that a run that goes on can be shown from where it does. */
  logsFrom: z.record(z.string(), z.number()),
});
const WriteRequest = z.object({ configName: z.string(), overrides: z.array(z.string()), path: z.string() });
const OfSession = z.object({ sessionId: z.string() });

/** Everything a host can ask of the engine. A new ability starts here; then its handler, then its page and command. */
export const contract = {
  'project.current': procedure(Nothing, ProjectInfo),
  'project.recent': procedure(Nothing, z.array(RecentProject)),
  'project.open': procedure(z.object({ root: z.string() }), ProjectInfo),
  'project.create': procedure(z.object({ root: z.string(), template: z.string() }), ProjectInfo),
  'project.trust': procedure(z.object({ trusted: z.boolean() }), ProjectInfo),

  'config.compose': procedure(ComposeRequest, ComposedConfig),
  /** What the config's targets take, and which of it is unknown, missing or wrong. Sources are read, no code is run. */
  'config.schema': procedure(ComposeRequest, ConfigSchema),
  /** The same as JSON Schema (2020-12) of the config's files, for editors: a text to save. */
  'config.jsonSchema': procedure(ComposeRequest, z.object({ text: z.string() })),
  /** The text of a config file of the project (relative path), for showing where a value comes from. */
  'config.source': procedure(z.object({ file: z.string() }), ConfigSource),
  /** Which override a click means: sets, adds or deletes `path`; the renderer puts the text into its list. */
  'config.overrideFor': procedure(
    z.object({
      configName: z.string(),
      overrides: z.array(z.string()),
      path: z.string(),
      /** New value in YAML flow syntax; undefined deletes the key. */
      value: z.string().optional(),
    }),
    z.object({ overrides: z.array(z.string()) }),
  ),
  /** The way back from a config: the shortest overrides that compose to the same, options before values. */
  'config.shortest': procedure(ComposeRequest, ShortestOverrides),
  /** What writing the value at `path` into the config file that sets it would change; nothing is written. */
  'config.previewWrite': procedure(WriteRequest, FileEdit),
  /** Writes it: comments, order, quotes and anchors of the file stay. */
  'config.write': procedure(WriteRequest, FileEdit),

  'launch.preview': procedure(LaunchRequest, LaunchPreview),
  /** What the launch would do, step by step; the project's constructors run, in a process of their own. */
  'launch.plan': procedure(FlightPlanRequest, FlightPlan),
  'launch.start': procedure(LaunchRequest, StartedRun),
  /** Accelerate launch files found in the project. */
  'launch.files': procedure(Nothing, z.array(z.string())),

  'runs.list': procedure(RunListRequest, RunList),
  'runs.get': procedure(OfRun, RunDetail),
  'runs.update': procedure(
    z.object({
      runId: z.string(),
      name: z.string().min(1).optional(),
      tags: z.array(z.string()).optional(),
      notes: z.string().optional(),
    }),
    RunSummary,
  ),
  /** Removes the row, and the folder when asked. A live run is refused. */
  'runs.remove': procedure(z.object({ runId: z.string(), deleteFolder: z.boolean() }), Nothing),
  /** `stop` saves and ends cleanly, `kill` ends at once. */
  'runs.stop': procedure(z.object({ runId: z.string(), mode: z.enum(['stop', 'kill']) }), Nothing),
  /** Goes on with a run from its newest checkpoint, or the one named, in its own folder, with its saved config. */
  'runs.resume': procedure(ContinueRequest, StartedRun),
  /** Begins a new run, in a folder of its own, at a checkpoint of another one. */
  'runs.branch': procedure(ContinueRequest.extend({ name: z.string().min(1).optional() }), StartedRun),
  'runs.log': procedure(
    z.object({
      runId: z.string(),
      file: z.string(),
      /** Byte offset to read from; undefined reads the last `maxBytes`. */
      start: z.number().int().nonnegative().optional(),
      maxBytes: z.number().int().positive().max(1_048_576).default(65_536),
    }),
    LogChunk,
  ),

  /** Finds run folders of the project that the store does not know, and rows whose folder has gone. */
  'runs.scan': procedure(
    Nothing,
    z.object({
      added: z.array(z.string()),
      missing: z.array(z.string()),
      problems: z.array(z.object({ folder: z.string(), message: z.string() })),
    }),
  ),

  'metrics.keys': procedure(OfRun, z.array(MetricKey)),
  'metrics.series': procedure(SeriesRequest, Series),

  /** What the run logged besides numbers, by kind and name. */
  'media.keys': procedure(OfRun, z.array(MediaKey)),
  /** The steps that have items under a name, ascending. */
  'media.steps': procedure(MediaOfKey, z.array(z.number().int())),
  /** The items of one step, in order. */
  'media.items': procedure(MediaOfKey.extend({ step: z.number().int() }), z.array(MediaNotice)),
  /** Histograms over the steps, evenly thinned to at most `maxSteps`; the first and the last are kept. */
  'media.histograms': procedure(
    z.object({ runId: z.string(), key: z.string(), maxSteps: z.number().int().min(2).max(1000) }),
    z.array(MediaNotice),
  ),
  /** An item's file. Only paths that the store lists can be read. */
  'media.read': procedure(z.object({ runId: z.string(), path: z.string() }), MediaContent),

  'checkpoints.list': procedure(OfRun, z.array(CheckpointInfo)),
  /** Checks a checkpoint's files and does steps again; see VerifyReport. Without `steps` the run's checkpoints decide. */
  'checkpoints.verify': procedure(
    z.object({ runId: z.string(), path: z.string(), steps: z.number().int().nonnegative().optional() }),
    VerifyReport,
  ),
  'checkpoints.remove': procedure(z.object({ runId: z.string(), path: z.string() }), Nothing),

  /** `useEma`: averaged weights where the checkpoint has them (trainer.ema); true unless given. */
  'inference.open': procedure(
    z.object({ runId: z.string(), checkpoint: z.string(), useEma: z.boolean().optional() }),
    SessionInfo,
  ),
  'inference.predict': procedure(
    z.object({
      sessionId: z.string(),
      input: PredictInput,
      arguments: z.record(z.string(), z.union([z.number(), z.boolean()])),
    }),
    Prediction,
  ),
  'inference.samples': procedure(
    z.object({
      sessionId: z.string(),
      split: z.string(),
      offset: z.number().int().nonnegative(),
      limit: z.number().int().positive().max(200),
    }),
    SamplePage,
  ),
  'inference.close': procedure(OfSession, Nothing),

  'machine.devices': procedure(Nothing, z.array(DeviceInfo)),
  'machine.doctor': procedure(Nothing, DoctorReport),

  'settings.get': procedure(Nothing, Settings),
  'settings.update': procedure(Settings.partial(), Settings),
} satisfies Contract;

export type ProcedureName = keyof typeof contract;
/** What a caller may pass (defaults optional) and what comes back. */
export type InputOf<N extends ProcedureName> = z.input<(typeof contract)[N]['input']>;
/** What a handler receives after validation. */
export type ParsedInputOf<N extends ProcedureName> = z.output<(typeof contract)[N]['input']>;
export type OutputOf<N extends ProcedureName> = z.output<(typeof contract)[N]['output']>;

export type EngineApi = {
  readonly [N in ProcedureName]: (input: InputOf<N>, signal?: AbortSignal) => Promise<OutputOf<N>>;
};

/** One handler per procedure, as the service writes them. */
export type EngineHandlers = {
  readonly [N in ProcedureName]: (input: ParsedInputOf<N>, signal: AbortSignal) => Promise<OutputOf<N>> | OutputOf<N>;
};

import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { EngineError } from '../api/errors.ts';
import { LaunchJob, type LaunchPlan } from '../api/launch.ts';
import type { Progress } from '../api/training.ts';
import type { Difference, Evidence, VerifyReport } from '../api/verifyModel.ts';
import {
  type CheckpointEntry,
  compareCheckpoints,
  findDamage,
  listCheckpoints,
  nextBestCheckpoint,
  resolveCheckpoint,
  runFolderOf,
} from '../checkpoint/index.ts';
import { loadYaml, toPlain } from '../config/index.ts';
import { planLaunch, type Replayed, readGitState, replaySteps } from '../launch/index.ts';
import { readRunJson, runFiles } from '../runs/runFolder.ts';
import { planVerification, type VerifyPlan } from './verifyPlan.ts';
import { comparePoints, readPoints } from './verifyPoints.ts';

export interface VerifyRequest {
  /** Folder of a checkpoint, or of a run: its newest checkpoint then. Absolute. */
  readonly target: string;
  /** Where the project's code is, unless the run says. */
  readonly projectRoot: string;
  /** Steps to do again from the checkpoint; 0 checks the files only. Chosen by what there is unless given. */
  readonly steps?: number | undefined;
  /** Told before the steps are done again. */
  readonly onPlan?: ((plan: VerifyPlan) => void) | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Checks a checkpoint: first that every file is as it was saved, then that the training does the same again, by doing
 * steps again in processes of its own and comparing to the bit. The run's folder is only read. Throws
 * `checkpoint.not-found`, `verify.…` where the steps cannot be done again, `cancelled`.
 */
export async function verifyCheckpoint(request: VerifyRequest): Promise<VerifyReport> {
  const resolved = await resolveCheckpoint(request.target, { useBest: false });
  if (resolved.type === 'file') {
    throw new EngineError(
      'checkpoint.not-found',
      `${resolved.file} is a file of weights; what can be verified is a checkpoint's folder.`,
      { file: resolved.file },
    );
  }
  const { entry } = resolved;
  const files = Object.values(entry.manifest?.files ?? {});
  const report: VerifyReport = {
    checkpoint: entry.folder,
    step: entry.step,
    epoch: entry.epoch,
    files: { count: files.length, bytes: entry.bytes },
    notes: [],
  };
  const damage = await findDamage(entry.folder);
  if (damage !== undefined) {
    const nextBest = await nextBestCheckpoint(entry.folder);
    return { ...report, damage: { text: damage.message, ...(nextBest === undefined ? {} : { nextBest }) } };
  }
  return request.steps === 0 ? report : { ...report, ...(await replayed(request, entry)) };
}

async function replayed(
  request: VerifyRequest,
  entry: CheckpointEntry,
): Promise<Pick<VerifyReport, 'replay' | 'notes'>> {
  const runDir = runFolderOf(entry.folder);
  const saved = await readSaved(entry.folder);
  const plan = planVerification(entry, await listCheckpoints(runDir), request.steps, saved.lastStep);
  if (plan.from !== entry) await refuseDamaged(plan.from.folder);
  else if (plan.against !== undefined) await refuseDamaged(plan.against.folder);
  request.onPlan?.(plan);
  const job = LaunchJob.safeParse(readRunJson(runDir, 'launch.json')).data;
  const projectRoot = job?.projectRoot ?? request.projectRoot;
  const replay = () =>
    replaySteps({
      projectRoot,
      configYaml: saved.configYaml,
      plan: planOf(job, saved.processes),
      from: plan.from.folder,
      until: plan.until,
      keepsAll: plan.against !== undefined && plan.against.step < plan.until.step,
      onProgress: request.onProgress,
      signal: request.signal,
    });
  const runs: Replayed[] = [await replay()];
  try {
    const compared = await held(plan, runDir, runs, replay);
    const difference = compared.difference;
    return {
      replay: {
        evidence: compared.evidence,
        from: plan.from.folder,
        ...(plan.against === undefined ? {} : { against: plan.against.folder }),
        fromStep: plan.from.step,
        toStep: plan.until.step,
        processes: saved.processes,
        compared: { tensors: compared.tensors, values: compared.values, points: compared.points },
        ...(difference === undefined ? {} : { difference }),
      },
      notes: difference === undefined ? [] : await explanations(runDir, projectRoot),
    };
  } finally {
    for (const run of runs) await run.remove();
  }
}

interface Held {
  readonly evidence: Evidence;
  readonly tensors: number;
  readonly values: number;
  readonly points: number;
  readonly difference: Difference | undefined;
}

/** Metrics first: the step at which they part is earlier than any checkpoint. */
async function held(
  { against, from, until, evidence }: VerifyPlan,
  runDir: string,
  runs: Replayed[],
  replay: () => Promise<Replayed>,
): Promise<Held> {
  const [first] = runs;
  if (first === undefined) throw new Error('Internal error: nothing was replayed');
  const record = comparePoints(readPoints(runDir), readPoints(first.runDir));
  const points = record.points;
  if (record.difference !== undefined) {
    return { evidence, tensors: 0, values: 0, points, difference: record.difference };
  }
  if (against !== undefined) {
    const { path } = against;
    const written = await writtenAs(first.runDir, against);
    if (written === undefined) {
      return { evidence, tensors: 0, values: 0, points, difference: { kind: 'not-written', path } };
    }
    return { evidence, points, ...(await compareCheckpoints(against.folder, written)) };
  }
  if (points > 0) return { evidence: 'record', tensors: 0, values: 0, points, difference: undefined };
  // neither a checkpoint nor a logged number lies among these steps: at least they must be the same twice
  const second = await replay();
  runs.push(second);
  const [one, two] = await Promise.all([first, second].map((run) => endOf(run.runDir)));
  if (one === undefined || two === undefined) {
    throw new EngineError(
      'verify.replay-failed',
      `The replay from step ${from.step} to ${until.step} saved nothing.`,
      {},
    );
  }
  const again = comparePoints(readPoints(first.runDir), readPoints(second.runDir));
  const compared = await compareCheckpoints(one, two);
  return {
    evidence: 'second-replay',
    ...compared,
    points: again.points,
    difference: again.difference ?? compared.difference,
  };
}

/** The replay's checkpoint for one of the run's: of the same name, or of the same step where a stop had written it. */
async function writtenAs(replayDir: string, against: CheckpointEntry): Promise<string | undefined> {
  const entries = await listCheckpoints(replayDir);
  const same = entries.find((entry) => basename(entry.folder) === basename(against.folder));
  return same?.step === against.step ? same.folder : undefined;
}

async function endOf(replayDir: string): Promise<string | undefined> {
  return (await listCheckpoints(replayDir)).at(-1)?.folder;
}

async function refuseDamaged(folder: string): Promise<void> {
  const damage = await findDamage(folder);
  if (damage !== undefined) throw damage;
}

interface Saved {
  readonly configYaml: string;
  readonly processes: number;
  readonly lastStep: number | undefined;
}

/** What of a checkpoint a replay needs to know beforehand. */
async function readSaved(folder: string): Promise<Saved> {
  const state: unknown = JSON.parse(await readFile(join(folder, 'state.json'), 'utf8'));
  const field = (name: string): number | undefined => {
    const value: unknown = typeof state === 'object' && state !== null ? Reflect.get(state, name) : undefined;
    return typeof value === 'number' ? value : undefined;
  };
  const configYaml = await readFile(join(folder, 'config.yaml'), 'utf8').catch(() => undefined);
  if (configYaml === undefined) {
    throw new EngineError(
      'verify.no-config',
      `${folder} has no config.yaml, so its training cannot be built again; only its files could be checked: they are intact.`,
      { folder },
    );
  }
  const epochs = epochsOf(toPlain(loadYaml(configYaml, { source: join(folder, 'config.yaml') })));
  const epochLength = field('epoch_length');
  return {
    configYaml,
    processes: field('world_size') ?? 1,
    lastStep: epochs === undefined || epochLength === undefined ? undefined : epochs * epochLength,
  };
}

function epochsOf(config: unknown): number | undefined {
  const trainer: unknown = typeof config === 'object' && config !== null ? Reflect.get(config, 'trainer') : undefined;
  const epochs: unknown = typeof trainer === 'object' && trainer !== null ? Reflect.get(trainer, 'epochs') : undefined;
  return typeof epochs === 'number' ? epochs : undefined;
}

/** The run's own plan where it still fits: other threads may add up in another order. */
function planOf(job: LaunchJob | undefined, processes: number): LaunchPlan {
  if (job?.plan.processes.length === processes) return job.plan;
  return planLaunch({ numProcesses: processes, useCpu: true }, { devices: [], cores: availableParallelism() }).plan;
}

/** What is known to have changed since. */
async function explanations(runDir: string, projectRoot: string): Promise<string[]> {
  const environment = readRunJson(runDir, runFiles.environment);
  const git: unknown =
    typeof environment === 'object' && environment !== null ? Reflect.get(environment, 'git') : undefined;
  if (typeof git !== 'object' || git === null) return [];
  const before: unknown = Reflect.get(git, 'commit');
  const now = await readGitState(projectRoot);
  if (typeof before !== 'string' || now === undefined) return [];
  if (before !== now.commit) {
    return [`The project's code was at commit ${before.slice(0, 10)} and is at ${now.commit.slice(0, 10)} now.`];
  }
  return Reflect.get(git, 'dirty') === true || now.dirty
    ? [
        `The project's code has changes that are not committed; those of the run lie in ${join(runDir, runFiles.codeDiff)}.`,
      ]
    : [];
}

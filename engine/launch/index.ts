export { attachRun, type RunHandle } from './attachRun.ts';
export { readGitState } from './environment.ts';
export { type FollowedEnd, type FollowedRun, followRun, type RunFollower } from './followRun.ts';
export { type ForegroundOptions, followInForeground } from './foreground.ts';
export { jobFile } from './jobFile.ts';
export { type LaunchFile, parseLaunchFile, readLaunchFile } from './launchFile.ts';
export { type Machine, mergeLaunchOptions, type PlannedLaunch, planLaunch } from './launchPlan.ts';
export { checkRun, planRun } from './planRun.ts';
export { type Replayed, replaySteps } from './replaySteps.ts';
export {
  folderTaken,
  freeRunFolder,
  type ResumeRunRequest,
  requireEnded,
  resumeRun,
  type StartedRun,
  type StartRunDependencies,
  type StartRunRequest,
  startRun,
} from './startRun.ts';

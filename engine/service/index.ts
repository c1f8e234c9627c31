export { initProject } from '../instantiate/project/initProject.ts';
export { findProjectRoot } from '../instantiate/project/loadProject.ts';
export { type FollowedEnd, followInForeground } from '../launch/index.ts';
export { createEngine, type Engine, type EngineOptions } from './createEngine.ts';
export { inferOverData } from './inferOverData.ts';
export { openInBrowser } from './openInBrowser.ts';
export { type VerifyRequest, verifyCheckpoint } from './verifyCheckpoint.ts';

export { GraphSession } from './graphSession.ts';
export { type RecordableBackend, Recorder } from './recorder.ts';
export { difference, type Obstacle, type Operation, sameValue, type Value } from './recording.ts';
export { buildStepGraph, type Cell, resourceKey, type StepGraph } from './stepGraph.ts';

// What 'accelhydra-studio' is in a data loading worker thread: what datasets and collate functions are made of. Its other
// names stand there too, but refuse to be used (standIns.ts): loading all of the engine in each thread would take a second.
export { EngineError } from '../../api/errors.ts';
export { deriveSeed, Random, type RandomState } from '../../base/random.ts';
export * from '../index.ts';

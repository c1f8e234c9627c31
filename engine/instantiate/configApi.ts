// What 'accelhydra-studio/config' gives: the config engine, and what turns a composed config into objects.
export * from '../config/index.ts';
export { configAccess } from './configAccess.ts';
export { InstantiateError } from './errors.ts';
export { type InstantiateOptions, instantiate } from './instantiate.ts';
export { createTargetLocator } from './locate/targetLocator.ts';
export { createTargetSchemas } from './schema/targetSchemas.ts';

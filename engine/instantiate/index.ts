export { type ConfigAccess, configAccess } from './configAccess.ts';
export { Built, type ContainerInfo, containerInfo } from './containers.ts';
export { InstantiateError, type InstantiateErrorKind } from './errors.ts';
export { type InstantiateOptions, instantiate, instantiateBuilt } from './instantiate.ts';
export { type Invoke, invokeJavaScript, isCallable, type PartialTarget, type TargetCall } from './invoke.ts';
export { type ProjectLoaderOptions, registerProjectLoader } from './loader/registerProjectLoader.ts';
export type { LocatedTarget, TargetKind, TargetLocator } from './locate/locatedTarget.ts';
export type { NpmOptions } from './locate/npmTargets.ts';
export type { ProjectModules } from './locate/projectTargets.ts';
export { createTargetLocator, type TargetLocatorOptions } from './locate/targetLocator.ts';
export { type InitializedProject, initProject, templateNames } from './project/initProject.ts';
export { configNames, findProjectRoot, loadProject, type Project } from './project/loadProject.ts';
export { PROJECT_FILE } from './project/projectFile.ts';
export {
  type ConfigBuilder,
  openProjectRuntime,
  type PortableSection,
  type ProjectRuntime,
  type ProjectRuntimeOptions,
  type SectionCall,
} from './projectRuntime.ts';
export { loadResolvers, type ResolverSink } from './resolvers/loadResolvers.ts';
export { restoreOrigins } from './restoreOrigins.ts';
export { createTargetSchemas, type TargetSchemaOptions } from './schema/targetSchemas.ts';
export { type TargetWhitelist, UNSAFE_ALLOW_ALL_TARGETS } from './whitelist.ts';

export { type ComposedFile, type Composition, compose } from './compose/compose.ts';
export { CompositionError, type InclusionStep } from './compose/compositionError.ts';
export type { ResultDefault } from './compose/defaultsList.ts';
export type { DefaultsTreeNode } from './compose/defaultsTree.ts';
export { FileSource, type FileSourceOptions } from './compose/fileSource.ts';
export { type ConfigGroup, configNames, type GroupOption, groupOptions, listGroups } from './compose/groups.ts';
export { HYDRA_VERSION, registerHydraResolvers, setJobNumber } from './compose/hydraNode.ts';
export { MemorySource, type MemorySourceOptions } from './compose/memorySource.ts';
export { type PreparedComposition, prepareComposition } from './compose/prepare.ts';
export { ConfigCache } from './compose/repository.ts';
export type { ComposeRequest } from './compose/request.ts';
export type { ConfigSource, SourceEntry } from './compose/source.ts';
export { setNode } from './container/access.ts';
export { childFullKey, fullKeyOf } from './container/fullKey.ts';
export { splitKeyPath } from './container/keyPath.ts';
export { merge, mergeInto, mergeWith } from './container/merge.ts';
export { type UpdateOptions, update, updateFromDotlist } from './container/update.ts';
export { ConfigError, type ConfigErrorOptions, type ConfigExceptionName } from './errors.ts';
export { describeExplanation, type Explanation, explain, explainAll, type GivenValue } from './explain/explain.ts';
export type { TrailStep } from './explain/trail.ts';
export { OverrideSyntaxError } from './grammar/failure.ts';
export { functionNames } from './grammar/functions.ts';
export { parseOverride, parseOverrides } from './grammar/parser.ts';
export { hydraValueText, printOverride, printText, printValue } from './grammar/printer.ts';
export { batchJobs, type ExpandSweepOptions, expandSweep } from './grammar/sweep.ts';
export {
  isHydraOverride,
  isSweepOverride,
  keyElement,
  type Override,
  type OverrideType,
  type OverrideValue,
  type OverrideValueType,
  type Span,
} from './grammar/types.ts';
export { type ConfigTextOptions, configText, INFO_TOPICS, type InfoTopic, infoText } from './info/info.ts';
export { sameConfig } from './inverse/equality.ts';
export { type LeafEdits, leafEdits } from './inverse/leafEdits.ts';
export { type MinimalOverrides, type MinimalOverridesOptions, minimalOverrides } from './inverse/minimalOverrides.ts';
export {
  boolNode,
  bytesNode,
  dictNode,
  floatNode,
  intNode,
  listNode,
  normalInteger,
  nullNode,
  strNode,
} from './node/build.ts';
export { BytesKey, type ConfigKey, FloatKey, type KeyType, keyIdentity, keyType } from './node/key.ts';
export {
  type ConfigNode,
  type ContainerNode,
  DictNode,
  type FlagName,
  ListNode,
  MISSING,
  type NodeFlags,
  ScalarNode,
  type ScalarType,
  type ScalarValue,
} from './node/node.ts';
export {
  describeOrigin,
  type FileOrigin,
  type GeneratedOrigin,
  type Origin,
  type OverrideOrigin,
} from './node/origin.ts';
export { fromPlain, type PlainValue, toPlain } from './node/plain.ts';
export { fromTagged, type TaggedValue, tagKey, tagScalar, toTagged } from './node/tagged.ts';
export { ResolveContext, type ResolveContextOptions } from './resolve/context.ts';
export { createResolverRegistry } from './resolve/defaults.ts';
export type { MaterializeOptions } from './resolve/materialize.ts';
export {
  dereference,
  getItem,
  missingKeys,
  resolve,
  resolveInPlace,
  type SelectNodeOptions,
  select,
} from './resolve/operations.ts';
export {
  type PlainResolver,
  type RegisterOptions,
  type ResolverCall,
  ResolverRegistry,
  type SelectOptions,
  type TypedResolver,
} from './resolve/registry.ts';
export type { Dereferenced, PlainDict, PlainList, ResultNode, Value } from './resolve/value.ts';
export { checkValue, type Follow, type Mismatch } from './schema/checkValue.ts';
export {
  describeSchema,
  type JsonSchema,
  type JsonType,
  type JsonValue,
  type TargetParameter,
  type TargetSchema,
  type TargetSchemas,
} from './schema/jsonSchema.ts';
export type { GivenAtCall, SchemaProblem } from './schema/problem.ts';
export { jsonSchemaOf, type OptionInfo, schemaOf } from './schema/schemaOf.ts';
export {
  type ComposedTree,
  describeProblem,
  type ValidateOptions,
  validate,
} from './schema/validate.ts';
export { type ConfigChange, configChanges } from './watch/changes.ts';
export { type ComposeWatchOptions, composeWatch, type WatchEvent } from './watch/composeWatch.ts';
export { type WriteBackOptions, type WriteBackResult, writeBack } from './yaml/edit/writeBack.ts';
export type { FlowStyle } from './yaml/emit/represent.ts';
export { type ToYamlOptions, toYaml } from './yaml/emit/toYaml.ts';
export { type LoadYamlOptions, loadYaml, loadYamlValue } from './yaml/load.ts';
export type { YamlValue } from './yaml/value.ts';

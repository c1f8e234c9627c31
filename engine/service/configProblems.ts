import type { ConfigSchema } from '../api/configModel.ts';
import {
  describeProblem,
  describeSchema,
  type GivenAtCall,
  type JsonSchema,
  type JsonValue,
  jsonSchemaOf,
  schemaOf,
  strNode,
  type TargetSchemas,
  validate,
} from '../config/index.ts';
import { loadProject, type Project } from '../instantiate/project/loadProject.ts';
import { createTargetSchemas } from '../instantiate/schema/targetSchemas.ts';
import { trainingSections } from '../trainer/prepare/sections.ts';
import { type Composition, type CompositionRequest, type ConfigPlace, composeProject } from './composition.ts';
import { placeInfo } from './configTree.ts';
import { scalarText } from './scalarText.ts';
import { sectionProblems } from './sectionProblems.ts';

/** What the sections point to with interpolations is built with them. */
const BUILT_SECTIONS = trainingSections.map(({ name }) => name);

const GIVEN: Readonly<Record<string, GivenAtCall>> = {
  optimizer: { args: 1, options: [] },
  // The warm-up adapter fills in steps as the schedule takes them.
  lr_scheduler: { args: 1, options: ['*'] },
  trainer: {
    args: 0,
    options: ['model', 'optimizer', 'lr_scheduler', 'loss_fn', 'train_dataloader', 'val_dataloader'],
  },
};

/** What training adds to the config's arguments, by the path of the section. */
export function givenByTraining(path: string): GivenAtCall | undefined {
  if (/^(?:train|val|test)_dataloader\.(?:batch_)?sampler$/.test(path)) return { args: 0, options: ['data_source'] };
  return Object.hasOwn(GIVEN, path) ? GIVEN[path] : undefined;
}

/** Where a project's code and packages lie. */
type CodePlaces = Pick<Project, 'root' | 'sourceRoots'>;

const schemasOfRoots = new Map<string, TargetSchemas>();

/** What is known of a project's targets; read from sources, kept while they stay as they are. */
export function targetSchemasOf({ root, sourceRoots }: CodePlaces): TargetSchemas {
  const key = [root, ...sourceRoots].join('\n');
  const known = schemasOfRoots.get(key) ?? createTargetSchemas({ sourceRoots, projectRoot: root });
  schemasOfRoots.set(key, known);
  return known;
}

/**
 * Sections that a training needs and that are missing, unknown and missing arguments and wrong values in those that it
 * builds, a sentence with its place each. No code of the project is run.
 */
export function configProblems(project: CodePlaces, composition: Composition): string[] {
  const problems = validate(composition.parts, targetSchemasOf(project), {
    roots: BUILT_SECTIONS,
    givenAt: givenByTraining,
  });
  return [...sectionProblems(composition), ...problems.map(describeProblem)];
}

/** What is known of every option of the config's targets, and what is wrong, as the contract says it. */
export function configSchema(project: CodePlaces, composition: Composition): ConfigSchema {
  const targets = targetSchemasOf(project);
  const given = { givenAt: givenByTraining };
  const options = [...schemaOf(composition.parts, targets, given).values()].filter(
    ({ path, isSet }) => isSet || !isGivenByTraining(path),
  );
  const problems = validate(composition.parts, targets, { ...given, roots: BUILT_SECTIONS });
  return {
    options: options.map(({ path, target, schema, isRequired, isSet, doc, ...option }) => ({
      path,
      target,
      type: describeSchema(schema),
      choices: choicesOf(schema).map(yamlText),
      default: option.default === undefined ? undefined : yamlText(option.default),
      doc,
      isRequired,
      isSet,
    })),
    problems: problems.map(({ kind, path, target, message, origin }) => ({
      kind,
      path,
      target,
      message,
      origin: origin && placeInfo(origin, ''),
    })),
  };
}

function isGivenByTraining(path: string): boolean {
  const dot = path.lastIndexOf('.');
  const given = givenByTraining(path.slice(0, Math.max(dot, 0)));
  return given?.options.includes(path.slice(dot + 1)) ?? false;
}

/** The values of a schema that is nothing but values to choose from. */
function choicesOf(schema: JsonSchema): readonly JsonValue[] {
  if (schema.const !== undefined) return [schema.const];
  if (schema.enum) return schema.enum;
  const parts = schema.anyOf?.map((part) => (part.type === 'null' ? [null] : choicesOf(part))) ?? [];
  return parts.every((part) => part.length > 0) ? parts.flat() : [];
}

function yamlText(value: JsonValue): string {
  return typeof value === 'string' ? scalarText(strNode(value)) : JSON.stringify(value);
}

/** A JSON Schema of the config for editors. Throws `config.…` errors. */
export function printedSchema(place: ConfigPlace, request: CompositionRequest): string {
  const { parts } = composeProject(place, request);
  const schema = jsonSchemaOf(parts, targetSchemasOf(loadProject(place.root)), { givenAt: givenByTraining });
  return `${JSON.stringify({ ...schema, title: request.configName }, null, 2)}\n`;
}

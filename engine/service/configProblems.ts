import { describeProblem, type GivenAtCall, jsonSchemaOf, type TargetSchemas, validate } from '../config/index.ts';
import { loadProject, type Project } from '../instantiate/project/loadProject.ts';
import { createTargetSchemas } from '../instantiate/schema/targetSchemas.ts';
import { type Composition, type CompositionRequest, type ConfigPlace, composeProject } from './composition.ts';

/** The sections that training builds; what they point to with interpolations is built with them. */
const BUILT_SECTIONS = [
  'model',
  'train_dataloader',
  'val_dataloader',
  'optimizer',
  'lr_scheduler',
  'loss_fn',
  'trainer',
];

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

const schemasOfRoots = new Map<string, TargetSchemas>();

/** What is known of a project's targets; read from sources, kept while they stay as they are. */
export function targetSchemasOf(project: Pick<Project, 'sourceRoots'>): TargetSchemas {
  const key = project.sourceRoots.join('\n');
  const known = schemasOfRoots.get(key) ?? createTargetSchemas({ sourceRoots: project.sourceRoots });
  schemasOfRoots.set(key, known);
  return known;
}

/**
 * Unknown and missing arguments and wrong values in the sections that training builds, a sentence with its place each.
 * No code of the project is run.
 */
export function configProblems(project: Pick<Project, 'sourceRoots'>, composition: Composition): string[] {
  const problems = validate(composition.parts, targetSchemasOf(project), {
    roots: BUILT_SECTIONS,
    givenAt: givenByTraining,
  });
  return problems.map(describeProblem);
}

/** A JSON Schema of the config for editors. Throws `config.…` errors. */
export function printedSchema(place: ConfigPlace, request: CompositionRequest): string {
  const { parts } = composeProject(place, request);
  const schema = jsonSchemaOf(parts, targetSchemasOf(loadProject(place.root)), { givenAt: givenByTraining });
  return `${JSON.stringify({ ...schema, title: request.configName }, null, 2)}\n`;
}

// The allowed imports of docs/architecture.md, checked by `npm run arch` and in `npm test`. A failure here is a design
// question before it is a nuisance. Type-only imports count like any other.

/** Which engine folders each engine folder may import besides itself. */
const allowed = {
  base: [],
  api: ['base'],
  config: ['base', 'api'],
  instantiate: ['base', 'api', 'backend', 'config'],
  backend: ['base', 'api'],
  data: ['base', 'api', 'backend'],
  optim: ['base', 'api', 'backend'],
  // runs: its folder says where a run's checkpoints lie
  checkpoint: ['base', 'api', 'backend', 'runs'],
  distributed: ['base', 'api', 'backend'],
  runs: ['base', 'api'],
  process: ['base', 'api'],
  trainer: ['base', 'api', 'config', 'instantiate', 'backend', 'data', 'optim', 'checkpoint', 'distributed'],
  // checkpoint: processes that are started again go on from one that is intact
  launch: [
    'base',
    'api',
    'process',
    'config',
    'instantiate',
    'backend',
    'checkpoint',
    'distributed',
    'runs',
    'trainer',
  ],
  inference: ['base', 'api', 'process', 'config', 'instantiate', 'backend', 'data', 'checkpoint', 'trainer'],
  transport: ['base', 'api'],
  cli: ['base', 'api', 'service', 'transport'],
};

const folderRules = Object.entries(allowed).map(([folder, others]) => ({
  name: `engine-${folder}`,
  comment: `engine/${folder} may import ${others.length === 0 ? 'nothing of the engine' : others.join(', ')}.`,
  severity: 'error',
  from: { path: `^engine/${folder}/` },
  to: { path: '^(engine|electron|renderer|test)/', pathNot: `^engine/(${[folder, ...others].join('|')})/` },
}));

/** A thing with one door: a single file of each part may touch it. */
const door = (name, target, doors) => ({
  name: `one-door-${name}`,
  comment: `Only ${doors.join(', ')} may import ${name}.`,
  severity: 'error',
  from: { path: '^(engine|electron|renderer)/', pathNot: [...doors.map((path) => `^${path}`), '^engine/setup/'] },
  to: { path: target },
});

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...folderRules,
    door('better-sqlite3', '^(node_modules/(@types/)?better-sqlite3/|better-sqlite3$)', ['engine/runs/database\\.ts']),
    door('child_process', '^(node:)?child_process$', [
      'engine/launch/childProcess\\.ts',
      'engine/backend/askProgram\\.ts',
    ]),
    door('electron', '^(node_modules/electron/|electron$)', ['electron/main/', 'electron/preload/']),
    {
      name: 'no-cycles',
      severity: 'error',
      from: { path: '^(engine|electron|renderer)/' },
      to: { circular: true },
    },
    {
      name: 'nothing-unresolved',
      severity: 'error',
      from: { path: '^(engine|electron|renderer|test)/', pathNot: '^test/fixtures/' },
      to: { couldNotResolve: true, pathNot: '\\.css$' },
    },
    {
      name: 'api-is-for-everybody',
      comment:
        'The contract runs in Node, in Electron and in browsers: it imports neither Node nor a package beside zod.',
      severity: 'error',
      from: { path: '^engine/(api|base)/', pathNot: '^engine/base/node/' },
      to: { dependencyTypes: ['core', 'npm', 'npm-dev'], pathNot: '^node_modules/zod/' },
    },
    {
      name: 'transport-knows-no-engine',
      severity: 'error',
      from: { path: '^engine/', pathNot: '^engine/(service|cli)/' },
      to: { path: '^engine/service/' },
    },
    {
      name: 'product-without-tests',
      severity: 'error',
      from: { path: '^(engine|electron|renderer|resources)/' },
      to: { path: '^test/' },
    },
    {
      name: 'electron-main',
      comment:
        'electron/main may import electron/shared and the engine’s base, api and transport; one file builds the engine.',
      severity: 'error',
      from: { path: '^electron/main/', pathNot: '^electron/main/engineEntry\\.ts' },
      to: { path: '^(engine|electron|renderer)/', pathNot: '^(electron/(main|shared)|engine/(base|api|transport))/' },
    },
    {
      name: 'electron-preload',
      severity: 'error',
      from: { path: '^electron/(preload|shared)/' },
      to: { path: '^(engine|electron|renderer)/', pathNot: '^(electron/(preload|shared)|engine/(base|api))/' },
    },
    {
      name: 'renderer-through-api',
      comment:
        'The renderer runs in any browser: of the rest it sees engine/base, engine/api and the types of electron/shared.',
      severity: 'error',
      from: { path: '^renderer/' },
      to: { path: '^(engine|electron)/', pathNot: '^(engine/(base|api)|electron/shared)/' },
    },
    {
      name: 'renderer-without-node',
      severity: 'error',
      from: { path: '^renderer/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'features-do-not-meet',
      severity: 'error',
      from: { path: '^renderer/features/([^/]+)/' },
      to: { path: '^renderer/features/', pathNot: '^renderer/features/$1/' },
    },
    {
      name: 'ui-and-lib-are-leaves',
      severity: 'error',
      from: { path: '^renderer/(ui|lib)/' },
      to: { path: '^renderer/', pathNot: '^renderer/(ui|lib)/' },
    },
    {
      name: 'stores-below-pages',
      severity: 'error',
      from: { path: '^renderer/(stores|client)/' },
      to: { path: '^renderer/(features|ui)/' },
    },
    {
      name: 'no-development-packages',
      comment: 'What runs for the user must be in dependencies.',
      severity: 'error',
      from: { path: '^(engine|renderer)/' },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg'],
        dependencyTypesNot: ['type-only'],
        pathNot: '^node_modules/@types/',
      },
    },
  ],
  options: {
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|\\.runtime|coverage)/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
    cache: false,
  },
};

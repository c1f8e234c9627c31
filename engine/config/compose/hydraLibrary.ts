import { MemorySource } from './memorySource.ts';
import type { ConfigSource } from './source.ts';

// Hydra's own groups, as far as configs may choose among them and read from them. The texts are ours; keys, options and
// defaults are Hydra's, so that projects which override them compose unchanged.

const LOGGING = (format: string, handlers: string) => `version: 1
formatters:
  simple:
    format: '${format}'
handlers:
  console:
    class: logging.StreamHandler
    formatter: simple
    stream: ext://sys.stdout
${handlers}`;

const FILE_HANDLER = `  file:
    class: logging.FileHandler
    formatter: simple
    filename: \${hydra.runtime.output_dir}/\${hydra.job.name}.log
root:
  level: INFO
  handlers: [console, file]
disable_existing_loggers: false
`;

const CONSOLE_ONLY = `root:
  level: INFO
  handlers: [console]
disable_existing_loggers: false
`;

const DISABLED = `version: 1
root: null
disable_existing_loggers: false
`;

const COLORED = (format: string, handlers: string) => `version: 1
formatters:
  simple:
    format: '${format}'
  colorlog:
    '()': colorlog.ColoredFormatter
    format: '${format}'
handlers:
  console:
    class: logging.StreamHandler
    formatter: colorlog
    stream: ext://sys.stdout
${handlers}`;

const JOB_FORMAT = '[%(asctime)s][%(name)s][%(levelname)s] - %(message)s';
const HYDRA_FORMAT = '[%(asctime)s][HYDRA] %(message)s';

const FILES: Readonly<Record<string, string>> = {
  'hydra/env/default.yaml': '# @package _global_\n',
  'hydra/help/default.yaml': `app_name: \${hydra.job.name}
header: |
  \${hydra.help.app_name} is powered by AccelHydra, with Hydra's configuration rules.
footer: |
  Groups are chosen with group=option, values set with foo.bar=value.
template: |-
  \${hydra.help.header}
  == Configuration groups ==
  $APP_CONFIG_GROUPS
  == Config ==
  $CONFIG
  \${hydra.help.footer}
`,
  'hydra/hydra_help/default.yaml': `hydra_help: ???
template: |
  == Flags ==
  $FLAGS_HELP
  == Configuration groups ==
  $HYDRA_CONFIG_GROUPS
`,
  'hydra/hydra_logging/default.yaml': LOGGING(
    HYDRA_FORMAT,
    `${CONSOLE_ONLY}loggers:\n  logging_example:\n    level: DEBUG\n`,
  ),
  'hydra/hydra_logging/disabled.yaml': DISABLED,
  'hydra/hydra_logging/hydra_debug.yaml': LOGGING(
    '[%(asctime)s][HYDRA] %(message)s',
    'root:\n  level: DEBUG\n  handlers: [console]\ndisable_existing_loggers: false\n',
  ),
  'hydra/hydra_logging/none.yaml': 'root: null\ndisable_existing_loggers: false\n',
  'hydra/hydra_logging/colorlog.yaml': COLORED(HYDRA_FORMAT, CONSOLE_ONLY),
  'hydra/job_logging/default.yaml': LOGGING(JOB_FORMAT, FILE_HANDLER),
  'hydra/job_logging/disabled.yaml': DISABLED,
  'hydra/job_logging/none.yaml': 'root: null\ndisable_existing_loggers: false\n',
  'hydra/job_logging/stdout.yaml': LOGGING(JOB_FORMAT, CONSOLE_ONLY),
  'hydra/job_logging/colorlog.yaml': COLORED(JOB_FORMAT, FILE_HANDLER),
  'hydra/output/default.yaml': `# @package hydra
run:
  dir: outputs/\${now:%Y-%m-%d}/\${now:%H-%M-%S}
sweep:
  dir: multirun/\${now:%Y-%m-%d}/\${now:%H-%M-%S}
  subdir: \${hydra.job.num}
`,
};

const SCHEMA_FILES: Readonly<Record<string, string>> = {
  'hydra/launcher/basic.yaml': '_target_: hydra._internal.core_plugins.basic_launcher.BasicLauncher\n',
  'hydra/sweeper/basic.yaml':
    '_target_: hydra._internal.core_plugins.basic_sweeper.BasicSweeper\nmax_batch_size: null\nparams: null\n',
  'hydra/config.yaml': `defaults:
  - output: default
  - launcher: basic
  - sweeper: basic
  - help: default
  - hydra_help: default
  - hydra_logging: default
  - job_logging: default
  - callbacks: null
  - env: default
  - _self_
mode: null
searchpath: []
run:
  dir: ???
sweep:
  dir: ???
  subdir: ???
hydra_logging: ???
job_logging: ???
sweeper: ???
launcher: ???
callbacks: {}
help:
  app_name: ???
  header: ???
  footer: ???
  template: ???
hydra_help:
  hydra_help: ???
  template: ???
output_subdir: .hydra
overrides:
  hydra: []
  task: []
job:
  name: ???
  chdir: false
  override_dirname: ???
  id: ???
  num: ???
  config_name: ???
  env_set: {}
  env_copy: []
  config:
    override_dirname:
      kv_sep: '='
      item_sep: ','
      exclude_keys: []
runtime:
  version: ???
  version_base: ???
  cwd: ???
  config_sources: ???
  output_dir: ???
  choices: {}
verbose: false
`,
};

/** Hydra's groups of options (help, logging, output), first on every search path. */
export const hydraSource: ConfigSource = new MemorySource(FILES, {
  provider: 'hydra',
  url: 'pkg://hydra.conf',
  displayPrefix: 'hydra:',
});

/** Hydra's own node with the launcher and sweeper, last on every search path. */
export const schemaSource: ConfigSource = new MemorySource(SCHEMA_FILES, {
  provider: 'schema',
  url: 'structured://',
  displayPrefix: 'hydra:',
});

import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runNode } from '../support/runNode.ts';

const main = fileURLToPath(new URL('../../engine/cli/main.ts', import.meta.url));
const hasBash = spawnSync('bash', ['--version']).status === 0;
const hasZsh = spawnSync('zsh', ['--version']).status === 0;
const hasFish = spawnSync('fish', ['--version']).status === 0;

let folder: string;
let project: string;
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'accelhydra-completion-')));
  project = join(folder, 'project');
  cpSync(fileURLToPath(new URL('../fixtures/service/project', import.meta.url)), project, { recursive: true });
  mkdirSync(join(folder, 'bin'));
  writeFileSync(
    join(folder, 'bin', 'accelhydra'),
    `#!/bin/sh\nNODE_COMPILE_CACHE='${join(folder, 'cache')}' exec '${process.execPath}' '${main}' "$@"\n`,
  );
  chmodSync(join(folder, 'bin', 'accelhydra'), 0o755);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function complete(...words: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await runNode([main, '__complete', 'zsh', ...words], {
    cwd: project,
    environment: { NODE_COMPILE_CACHE: join(folder, 'cache') },
  });
  expect([code, stderr]).toEqual([0, '']);
  return stdout.split('\n').flatMap((line) => (line === '' ? [] : [line.split('\t')[0] ?? '']));
}

test.each([
  { id: 'commands', words: ['tr'], gives: ['train'] },
  { id: 'commands below a command', words: ['runs', 'sh'], gives: ['show'] },
  { id: 'groups and keys', words: ['train', 'm'], gives: ['model=', 'model.'] },
  { id: 'options of a group', words: ['train', 'model='], gives: ['model=large', 'model=small'] },
  { id: 'a sweep going on', words: ['train', '-m', 'model=small,l'], gives: ['model=small,large'] },
  { id: 'keys below a section', words: ['train', 'optimizer.l'], gives: ['optimizer.lr='] },
  {
    id: 'keys of the option chosen before',
    words: ['train', 'optimizer=adam', 'optimizer.'],
    gives: ['optimizer._target_=', 'optimizer.lr='],
  },
  { id: 'keys to delete', words: ['train', '~trainer.sc'], gives: ['~trainer.scaled'] },
  { id: 'the value in force', words: ['train', 'epochs='], gives: ['epochs=2'] },
  { id: 'paths of why', words: ['why', 'epo'], gives: ['epochs'] },
  { id: 'flags', words: ['train', '--multi'], gives: ['--multirun'] },
  { id: 'choices of a flag', words: ['train', '--mixed_precision', 'b'], gives: ['bf16'] },
  { id: 'choices of a flag that needs none', words: ['train', '--info', 'def'], gives: ['defaults', 'defaults-tree'] },
  { id: 'overrides after such a choice', words: ['train', '--info', 'config', 'epo'], gives: ['epochs='] },
  { id: 'no key to add that is there', words: ['train', '+epo'], gives: [] },
  { id: 'overrides of plan', words: ['plan', 'epo'], gives: ['epochs='] },
  { id: 'config names', words: ['train', '-cn', 'ne'], gives: ['needs_value'] },
  { id: 'a flag with its value in one word', words: ['train', '--cfg=j'], gives: ['--cfg=job'] },
  { id: 'the long form of launch', words: ['launch', '--use_cpu', 'train', 'model=s'], gives: ['model=small'] },
  { id: 'nothing where nothing fits', words: ['train', 'zzz'], gives: [] },
  { id: 'nothing after a command that is not there', words: ['tarin', 'model='], gives: [] },
])('completes $id', async ({ words, gives }) => {
  expect(await complete(...words)).toEqual(gives);
});

test('a config that cannot be composed offers what it can, silently', async () => {
  expect(await complete('train', 'model=nothing', 'optimizer=')).toEqual(['optimizer=adam', 'optimizer=sgd']);
  expect(await complete('train', '[broken', 'epo')).toEqual(['epochs=']);
  expect(await complete('train', '--project', '/nowhere/at/all', 'model=')).toEqual([]);
});

/** What pressing TAB at the end of a line gives in a real bash. */
function tab(line: string): string[] {
  const script = `
    PATH='${join(folder, 'bin')}':$PATH; cd '${project}'
    eval "$(accelhydra completion bash)"
    COMP_LINE=${JSON.stringify(line)}; COMP_POINT=\${#COMP_LINE}; COMP_WORDS=(accelhydra)
    COMP_WORDBREAKS=$' \\t\\n"\\'@><=;|&(:'
    _accelhydra
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['--norc', '-c', script], { encoding: 'utf8' }).trim().split('\n');
}

test.runIf(hasBash).each([
  { line: 'accelhydra tr', gives: ['train'] },
  { line: 'accelhydra train model=', gives: ['large', 'small'] },
  { line: 'accelhydra train optimizer.l', gives: ['optimizer.lr='] },
  { line: 'accelhydra train zzz', gives: [''] },
])('bash completes "$line"', ({ line, gives }) => {
  expect(tab(line)).toEqual(gives);
});

const shellLines = [
  { line: 'accelhydra tr', gives: 'accelhydra train ' },
  { line: 'accelhydra train optimizer.l', gives: 'accelhydra train optimizer.lr=' },
  { line: "accelhydra train optimizer=adam 'model=s", gives: "accelhydra train optimizer=adam 'model=small' " },
  { line: "accelhydra train '~trainer.sc", gives: "accelhydra train '~trainer.scaled' " },
  { line: 'accelhydra train --config-name=ne', gives: 'accelhydra train --config-name=needs_value ' },
  { line: 'accelhydra why trainer.metric_monitor.mo', gives: 'accelhydra why trainer.metric_monitor.mode ' },
];

test.runIf(hasZsh)(
  'zsh completes on TAB as somebody types, quotes kept',
  () => {
    const said = join(folder, 'zsh.txt');
    writeFileSync(said, '');
    // A zsh in a terminal of its own; Ctrl-T writes down what the line has become.
    const setUp = [
      `cd '${project}'`,
      'autoload -Uz compinit',
      'compinit -D -u',
      'eval "$(accelhydra completion zsh)"',
      `report() { print -r -- "$BUFFER" >> '${said}'; BUFFER='' }`,
      "zle -N report; bindkey '^T' report; bindkey '^I' complete-word",
      `print ready >> '${said}'`,
    ].join('; ');
    const driver = `
      zmodload zsh/zpty
      export PATH='${join(folder, 'bin')}':$PATH TERM=xterm
      wait_for() { local tries=0; while (( $(wc -l < '${said}') < $1 && tries++ < 400 )); do sleep .05; while zpty -r -t z x; do :; done; done }
      zpty -b z zsh -f -i
      zpty -w z "$1"
      wait_for 1
      number=1
      for line in "\${@:2}"; do zpty -w -n z "$line"$'\t\x14'; wait_for $((++number)); done
      zpty -d z`;
    execFileSync('zsh', ['-f', '-c', driver, 'zsh', setUp, ...shellLines.map(({ line }) => line)]);
    expect(readFileSync(said, 'utf8').split('\n').slice(1, -1)).toEqual(shellLines.map(({ gives }) => gives));
  },
  120_000,
);

test.runIf(hasFish)(
  'fish completes as somebody types',
  () => {
    const script = `
      set -x PATH '${join(folder, 'bin')}' $PATH; cd '${project}'
      accelhydra completion fish | source
      for line in $argv; complete -C $line; echo .; end`;
    const lines = [...shellLines.map(({ line }) => line), 'accelhydra train model='];
    const answer = execFileSync('fish', ['--no-config', '-c', script, ...lines], { encoding: 'utf8' });
    const words = answer.split('.\n').map((part) => part.split('\n').flatMap((row) => row.split('\t')[0] || []));
    expect(words.slice(0, -1)).toEqual([
      ['train'],
      ['optimizer.lr='],
      ['model=small'],
      ['~trainer.scaled'],
      ['--config-name=needs_value'],
      ['trainer.metric_monitor.mode'],
      ['model=large', 'model=small'],
    ]);
  },
  120_000,
);

test.each(['bash', 'zsh', 'fish'])('the script of %s calls __complete', async (shell) => {
  const { code, stdout } = await runNode([main, 'completion', shell]);
  expect(code).toBe(0);
  expect(stdout).toContain(`__complete ${shell}`);
  // Here it is only read; fish reads no script from a pipe, and is run above.
  if (shell === 'bash' ? hasBash : shell === 'zsh' && hasZsh) {
    expect(spawnSync(shell, ['-n'], { input: stdout, encoding: 'utf8' }).stderr).toBe('');
  }
});

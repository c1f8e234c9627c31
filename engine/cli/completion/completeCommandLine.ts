import type { Command, Option } from 'commander';
import { searchPathOf } from '../commands/searchPath.ts';
import type { SourceOptions } from '../options.ts';
import { SHELLS } from './shells.ts';

export interface Candidate {
  readonly word: string;
  readonly meaning?: string | undefined;
}

/** Commands whose free arguments are overrides; of `why` the first is a path. */
const CONFIG_COMMANDS = new Set(['train', 'plan', 'infer', 'why', 'schema']);

/** What may stand where the last of the words (after the program's name) is being typed. */
export async function completeCommandLine(words: readonly string[], program: Command): Promise<Candidate[]> {
  const current = words.at(-1) ?? '';
  const line = readLine(words.slice(0, -1), program);
  if (line.awaits !== undefined) return optionValues(line.awaits, current, line.source);
  const flag = /^(--[^=]+=)(.*)$/s.exec(current);
  if (flag !== null) return flagValues(line, flag[1] ?? '', flag[2] ?? '');
  if (current.startsWith('-')) return flagsOf(line.command, current);
  const { commands } = line.command;
  if (commands.length > 0 && line.positional.length === 0) {
    return matching(visible(commands).map(commandCandidate), current);
  }
  if (line.command.name() === 'completion') return matching(SHELLS.map(plain), current);
  if (!CONFIG_COMMANDS.has(line.command.name())) return [];
  const { completeOverride, completePath } = await import('../../service/configCompletion.ts');
  const place = await placeOf(line.source);
  const isPath = line.command.name() === 'why' && line.positional.length === 0;
  const overrides = line.command.name() === 'why' ? line.positional.slice(1) : line.positional;
  const request = { ...place, overrides };
  const choices = line.mayTake === undefined ? [] : await optionValues(line.mayTake, current, line.source);
  const rest = isPath ? completePath(place.place, request, current) : completeOverride(place.place, request, current);
  return [...choices, ...rest];
}

interface ReadLine {
  readonly command: Command;
  readonly positional: readonly string[];
  readonly source: SourceOptions;
  /** The option whose value is being typed. */
  readonly awaits: Option | undefined;
  /** The option right before that can do without a value. */
  readonly mayTake: Option | undefined;
}

/** Walks the finished words: which command they lead to, what they say, and whether an option waits for its value. */
function readLine(words: readonly string[], program: Command): ReadLine {
  let command = program;
  let awaits: Option | undefined;
  let isVariadic = false;
  let mayTake: Option | undefined;
  const positional: string[] = [];
  const source: Record<string, string> = {};
  for (const word of words) {
    if (awaits !== undefined && !(isVariadic && word.startsWith('-'))) {
      // What `-o` collects are overrides like the free arguments.
      if (isVariadic) positional.push(word);
      else {
        source[awaits.attributeName()] = word;
        awaits = undefined;
      }
      continue;
    }
    awaits = undefined;
    const isTaken = mayTake?.argChoices?.includes(word) === true;
    mayTake = undefined;
    if (isTaken) continue;
    if (word.startsWith('-') && word !== '-') {
      const [name = '', value] = word.split('=', 2);
      const option = findOption(command, name);
      if (value !== undefined && option) source[option.attributeName()] = value;
      else if (option?.required) awaits = option;
      else if (option?.optional) mayTake = option;
      isVariadic = option?.variadic ?? false;
      continue;
    }
    const child = positional.length === 0 ? command.commands.find((other) => other.name() === word) : undefined;
    if (child) command = child;
    // `launch train …` is the command after it.
    else if (command.name() === 'launch' && word === 'train') command = findCommand(program, 'train') ?? command;
    else positional.push(word);
  }
  return { command, positional, source, awaits: isVariadic ? undefined : awaits, mayTake };
}

function findCommand(program: Command, name: string): Command | undefined {
  return program.commands.find((command) => command.name() === name);
}

const SHORTS: Readonly<Record<string, string>> = {
  '-cn': '--config-name',
  '-cp': '--config-path',
  '-cd': '--config-dir',
};

function findOption(command: Command, name: string): Option | undefined {
  const long = SHORTS[name] ?? name;
  const same = (other: string | undefined) => other?.replaceAll('_', '-') === long.replaceAll('_', '-');
  return command.options.find((option) => same(option.long) || option.short === long);
}

async function optionValues(option: Option, current: string, source: SourceOptions): Promise<Candidate[]> {
  if (option.argChoices) return matching(option.argChoices.map(plain), current);
  if (option.long === '--config-name') {
    const { completeConfigName } = await import('../../service/configCompletion.ts');
    const place = await placeOf(source);
    return completeConfigName(place.place, place, current);
  }
  return []; // files and folders: the shell's own way
}

/** `--flag=VALUE` in one word. */
async function flagValues(line: ReadLine, head: string, value: string): Promise<Candidate[]> {
  const option = findOption(line.command, head.slice(0, -1));
  const found = option === undefined ? [] : await optionValues(option, value, line.source);
  return found.map((candidate) => ({ ...candidate, word: head + candidate.word }));
}

function flagsOf(command: Command, current: string): Candidate[] {
  const options = command.options.filter((option) => !option.hidden && option.long);
  const candidates = options.map((option) => ({ word: option.long ?? '', meaning: option.description }));
  return matching([...candidates, { word: '--help', meaning: 'show the help' }], current);
}

async function placeOf(source: SourceOptions) {
  const { findConfigPlace } = await import('../../service/configPlace.ts');
  const place = await findConfigPlace(process.cwd(), source.project);
  const configName = source.configName ?? place.defaultConfig;
  return { place, configName, searchPath: searchPathOf(place.configDir, source) };
}

function visible(commands: readonly Command[]): Command[] {
  return commands.filter((command) => !command.name().startsWith('__'));
}

function commandCandidate(command: Command): Candidate {
  return { word: command.name(), meaning: command.summary() };
}

function plain(word: string): Candidate {
  return { word };
}

function matching(candidates: readonly Candidate[], current: string): Candidate[] {
  return candidates.filter(({ word }) => word.startsWith(current));
}

import { Argument, type Command } from 'commander';
import { SHELLS, type Shell } from '../completion/shells.ts';
import type { Terminal } from '../ui/terminal.ts';
import type { Finish } from './finish.ts';
import { examples } from './valueParsers.ts';

export function addCompletion(program: Command, terminal: Terminal, finish: Finish): void {
  program
    .command('completion')
    .summary('print the script that completes commands, groups, options and keys in a shell')
    .description('Print the script that completes commands, config groups, their options and config keys in a shell.')
    .addArgument(new Argument('<shell>', 'which shell').choices(SHELLS))
    .addHelpText(
      'after',
      examples([
        ['eval "$(accelhydra completion bash)"', 'in ~/.bashrc'],
        ['eval "$(accelhydra completion zsh)"', 'in ~/.zshrc, after compinit'],
        ['accelhydra completion fish > ~/.config/fish/completions/accelhydra.fish', ''],
      ]),
    )
    .action(async (shell: Shell) => {
      const { completionScript } = await import('../completion/scripts.ts');
      terminal.printRaw(completionScript(shell));
      finish(0);
    });
  program
    .command('__complete', { hidden: true })
    .argument('[words...]', 'the shell, then what it knows of the line')
    .allowUnknownOption()
    .passThroughOptions()
    .helpOption(false)
    .action(async (words: string[]) => {
      const { answer } = await import('../completion/answer.ts');
      terminal.printRaw(await answer(words, program));
      finish(0);
    });
}

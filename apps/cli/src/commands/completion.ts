import type { Command, CommandEntry } from '../command.ts';
import { bashScript } from '../completion/bash-script.ts';
import { type CompletedPath, completedPaths } from '../completion/completion-model.ts';
import { fishScript } from '../completion/fish-script.ts';
import { zshScript } from '../completion/zsh-script.ts';

const SCRIPTS: ReadonlyMap<string, (paths: readonly CompletedPath[]) => string> = new Map([
  ['bash', bashScript],
  ['zsh', zshScript],
  ['fish', fishScript],
]);

/** `commands` returns all commands, of which this is one. */
export function completionCommand(commands: () => readonly CommandEntry[]): Command {
  return {
    name: 'completion',
    summary: 'print a script that completes commands in your shell',
    about: 'Prints a script that completes the commands, options and values of gptj with the Tab key.',
    arguments: [{ name: 'SHELL', summary: 'bash, zsh or fish', values: [...SCRIPTS.keys()] }],
    notes: [
      'bash: add eval "$(gptj completion bash)" to ~/.bashrc.',
      'zsh: add eval "$(gptj completion zsh)" to ~/.zshrc, after compinit.',
      'fish: gptj completion fish > ~/.config/fish/completions/gptj.fish.',
      'Print it again after an upgrade where you have stored it in a file.',
    ],
    groups: [],
    examples: [{ line: 'gptj completion bash', caption: 'the script for bash' }],

    async run({ stdout }, { positionals: [shell = ''] }) {
      stdout.write(SCRIPTS.get(shell)?.(completedPaths(commands())) ?? '');
      await stdout.drained();
    },
  };
}

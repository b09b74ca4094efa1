/** What shells complete, derived from the records of the commands. */
import { type Command, type CommandEntry, isGroup } from '../command.ts';
import { HELP_OPTION } from '../help.ts';
import type { OptionSpec } from '../options.ts';

/** The values that a shell offers: words, files, folders, names of stored profiles, or none. */
export type Values = readonly string[] | 'file' | 'folder' | 'profile' | 'none';

export interface CompletedOption {
  /** With dashes: `--json`, `-n`. */
  readonly flags: readonly string[];
  readonly summary: string;
  /** Null for a switch. */
  readonly values: Values | null;
}

export interface CompletedWord {
  readonly word: string;
  readonly summary: string;
}

/** What may follow the words of `path`. */
export interface CompletedPath {
  /** `runs list`; empty for `gptj` alone. */
  readonly path: string;
  readonly words: readonly CompletedWord[];
  readonly options: readonly CompletedOption[];
  readonly values: Values;
}

/** Every path of the commands, `gptj` itself first. */
export function completedPaths(entries: readonly CommandEntry[]): readonly CompletedPath[] {
  const version: OptionSpec = { name: 'version', value: null, summary: 'show the version' };
  const root: CompletedPath = {
    path: '',
    words: entries.map(wordOf),
    options: [HELP_OPTION, version].map(optionOf),
    values: 'none',
  };
  return [root, ...entries.flatMap((entry) => pathsOf(entry, []))];
}

function pathsOf(entry: CommandEntry, parents: readonly string[]): readonly CompletedPath[] {
  const words = [...parents, entry.name];
  const path = words.join(' ');
  if (!isGroup(entry)) return [{ path, words: [], options: optionsOf(entry), values: valuesOf(entry) }];
  const fallback = entry.commands.find(({ name }) => name === entry.defaultCommand);
  const options = fallback === undefined || isGroup(fallback) ? [HELP_OPTION].map(optionOf) : optionsOf(fallback);
  return [
    { path, words: entry.commands.map(wordOf), options, values: 'none' },
    ...entry.commands.flatMap((command) => pathsOf(command, words)),
  ];
}

function wordOf({ name, summary }: CommandEntry): CompletedWord {
  return { word: name, summary };
}

function optionsOf(command: Command): readonly CompletedOption[] {
  return [...command.groups.flatMap(({ options }) => options), HELP_OPTION].map(optionOf);
}

function optionOf({ name, short, summary, value, choices }: OptionSpec): CompletedOption {
  const flags = [`--${name}`, ...(short === undefined ? [] : [`-${short}`])];
  return { flags, summary, values: value === null ? null : (choices ?? placeholderValues(name, value)) };
}

function placeholderValues(name: string, placeholder: string): Values {
  if (name === 'profile') return 'profile';
  if (placeholder === 'FILE') return 'file';
  if (placeholder === 'DIR') return 'folder';
  // The choices of a parameter: `a|b|c`.
  return /^[a-z0-9_.]+(?:\|[a-z0-9_.]+)+$/.test(placeholder) ? placeholder.split('|') : 'none';
}

/** Shells do not count arguments here: the values of all of them are offered at each. */
function valuesOf(command: Command): Values {
  const given = command.arguments.flatMap(({ values }) => (values === undefined ? [] : [values]));
  const words = given.flatMap((values) => (typeof values === 'object' ? values : []));
  if (words.length > 0) return words;
  const [first] = given;
  return typeof first === 'string' ? first : 'none';
}

/** Finds the command that the words of a command line name. */
import { type Command, type CommandEntry, isGroup } from './command.ts';
import { foreignCommand } from './foreign-commands.ts';
import { nearestName } from './nearest-name.ts';
import { UsageError } from './options.ts';

export interface FoundCommand {
  readonly path: readonly string[];
  /** A group when the words end at one that has no default, or when help is requested for it. */
  readonly entry: CommandEntry;
  /** The words after the path. */
  readonly rest: readonly string[];
}

/** Throws `UsageError` naming the nearest command. */
export function findCommand(entries: readonly CommandEntry[], words: readonly string[]): FoundCommand {
  const [word = '', ...rest] = words;
  const found = entries.find(({ name }) => name === word);
  if (found === undefined) throw unknownCommand(entries, words);
  return descend(found, [word], rest);
}

function descend(entry: CommandEntry, path: readonly string[], rest: readonly string[]): FoundCommand {
  if (!isGroup(entry)) return { path, entry, rest };
  const [word] = rest;
  const next = entry.commands.find(({ name }) => name === word);
  if (next !== undefined) return descend(next, [...path, next.name], rest.slice(1));
  if (word === '--help' || word === '-h') return { path, entry, rest };
  if (word === undefined || word.startsWith('-')) {
    const fallback = entry.commands.find(({ name }) => name === entry.defaultCommand);
    return fallback === undefined ? { path, entry, rest } : descend(fallback, [...path, fallback.name], rest);
  }
  throw new UsageError(`${path.join(' ')}: ${unknown(word, entry.commands)}`);
}

function unknownCommand(entries: readonly CommandEntry[], words: readonly string[]): UsageError {
  const [word = ''] = words;
  const foreign = foreignCommand(words);
  return new UsageError(foreign === null ? `unknown command ${unknown(word, entries)}` : `${word}: ${foreign}`);
}

function unknown(word: string, entries: readonly CommandEntry[]): string {
  const names = entries.map(({ name }) => name);
  const nearest = nearestName(word, names);
  return `${JSON.stringify(word)}; ${nearest === null ? `expected one of ${names.join(', ')}` : `did you mean ${nearest}?`}`;
}

/** Checks the number of positional arguments. Throws `UsageError` with the names of missing ones. */
export function checkArguments(command: Command, positionals: readonly string[]): void {
  const needed = command.arguments.filter(({ optional = false }) => !optional);
  if (positionals.length < needed.length) {
    const missing = needed.slice(positionals.length).map(({ name, summary }) => `${name} (${summary})`);
    throw new UsageError(`expected ${missing.join(' and ')}`);
  }
  command.arguments.forEach(({ name, values }, at) => {
    const given = positionals[at];
    if (typeof values !== 'object' || given === undefined || values.includes(given)) return;
    const nearest = nearestName(given, values);
    const hint = nearest === null ? '' : `; did you mean ${nearest}?`;
    throw new UsageError(`${name}: expected one of ${values.join(', ')}, got ${JSON.stringify(given)}${hint}`);
  });
  const isOpen = command.arguments.at(-1)?.repeated === true;
  if (!isOpen && positionals.length > command.arguments.length) {
    throw new UsageError(
      `unexpected argument ${JSON.stringify(positionals[command.arguments.length])}; ${command.extraArgument ?? 'quote text that contains spaces'}`,
    );
  }
}

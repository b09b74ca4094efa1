/** The text of `--help`: an overview of the commands, those of a group, or every option of one command. */
import {
  type Argument,
  type Command,
  type CommandEntry,
  type CommandGroup,
  commandsOf,
  type Example,
  isGroup,
  usageOf,
} from './command.ts';
import { optionRow } from './option-row.ts';
import type { OptionSpec } from './options.ts';
import { bold, dim, type Output, widthOf } from './output.ts';

const INDENT = 2;
/** Longer option names stand on a separate line. */
const MAX_NAME_WIDTH = 30;
/** Maximum width of prose, for readability. */
const MAX_TEXT_WIDTH = 100;

export const HELP_OPTION: OptionSpec = { name: 'help', short: 'h', value: null, summary: 'show this help' };

/** A heading of the overview and the commands below it. */
export interface CommandSection {
  readonly title: string;
  readonly entries: readonly CommandEntry[];
}

const VARIABLES: readonly (readonly [name: string, text: string])[] = [
  ['PIPELINE_API_URL', 'address of the server, before that of the stored profile'],
  ['PIPELINE_API_TOKEN', 'API token, before that of the stored profile'],
  ['GPTJ_PROFILE', 'name of the stored profile to use'],
  ['GPTJ_MODEL', 'model of serve, generate and local chats: a name or a file'],
  ['GPTJ_DEBUG=1', 'print the stack of an error'],
  ['NO_COLOR=1', 'print without colours'],
];

/** `gptj --help`. */
export function renderOverview(sections: readonly CommandSection[], output: Output): string {
  return [
    `${bold(output, 'gptj')}: GPT-J on your own machine, and the 2022 Pipeline Cloud API in front of it\n`,
    heading(output, 'usage'),
    '  gptj COMMAND [arguments] [options]\n',
    ...sections.flatMap(({ title, entries }) => [heading(output, title), columns(entries.map(entryRow), output)]),
    heading(output, 'examples'),
    examples(
      sections.flatMap(({ entries }) =>
        entries.slice(0, 2).flatMap((entry) => commandsOf([entry])[0]?.command.examples.slice(0, 1) ?? []),
      ),
      output,
    ),
    heading(output, 'environment variables'),
    columns(VARIABLES, output),
    heading(output, 'more'),
    columns(
      [
        ['gptj COMMAND --help', 'every option of a command, with defaults and examples'],
        ['gptj --version', 'the version'],
      ],
      output,
    ),
  ].join('');
}

/** `gptj GROUP --help`. */
export function renderGroupHelp(path: readonly string[], group: CommandGroup, output: Output): string {
  const name = ['gptj', ...path].join(' ');
  const known = commandsOf(group.commands);
  const rows = known.map(({ path: words, command }): readonly [string, string] => [
    `${words.join(' ')} ${usageOf(command)}`.trimEnd(),
    `${command.summary}${command.name === group.defaultCommand ? ' (the default)' : ''}`,
  ]);
  return [
    wrap(group.about, textWidth(output), 0),
    heading(output, 'usage'),
    `  ${name} COMMAND [arguments] [options]\n`,
    heading(output, 'commands'),
    columns(rows, output),
    heading(output, 'examples'),
    examples(
      known.flatMap(({ command }) => command.examples.slice(0, 1)),
      output,
    ),
    heading(output, 'more'),
    columns([[`${name} COMMAND --help`, 'every option of a command']], output),
  ].join('');
}

/** `gptj COMMAND --help`. */
export function renderCommandHelp(path: readonly string[], command: Command, output: Output): string {
  const width = textWidth(output);
  return [
    wrap(command.about, width, 0),
    heading(output, 'usage'),
    `  ${['gptj', ...path, usageOf(command), '[options]'].filter((part) => part !== '').join(' ')}\n`,
    ...(command.arguments.length === 0
      ? []
      : [heading(output, 'arguments'), columns(command.arguments.map(argumentRow), output)]),
    ...command.groups.flatMap((group, at) => [
      heading(output, group.title),
      group.namesOnly === true
        ? wrap(group.options.map(({ name }) => `--${name}`).join(' '), width, INDENT)
        : columns([...group.options, ...(at === 0 ? [HELP_OPTION] : [])].map(optionRow), output),
    ]),
    ...(command.groups.length === 0 ? [heading(output, 'options'), columns([optionRow(HELP_OPTION)], output)] : []),
    ...(command.notes === undefined ? [] : [heading(output, 'notes'), bullets(command.notes, width)]),
    heading(output, 'examples'),
    examples(command.examples, output),
  ].join('');
}

function entryRow(entry: CommandEntry): readonly [string, string] {
  return [isGroup(entry) ? `${entry.name} …` : entry.name, entry.summary];
}

function argumentRow({ name, summary, optional = false }: Argument): readonly [string, string] {
  return [optional ? `[${name}]` : name, summary];
}

function heading(output: Output, title: string): string {
  return `\n${bold(output, title)}\n`;
}

function examples(list: readonly Example[], output: Output): string {
  return list.map(({ line, caption }) => `  ${dim(output, `# ${caption}`)}\n  ${line}\n`).join('');
}

function bullets(notes: readonly string[], width: number): string {
  return notes.map((note) => `  - ${wrap(note, width, 4).slice(4)}`).join('');
}

function columns(rows: readonly (readonly [name: string, text: string])[], output: Output): string {
  const width = textWidth(output);
  const longest = Math.max(0, ...rows.map(([name]) => name.length).filter((length) => length <= MAX_NAME_WIDTH));
  const start = Math.min(INDENT + longest + 2, Math.floor(width / 2));
  return rows
    .map(([name, text]) => {
      const lead = `${' '.repeat(INDENT)}${name}`;
      const body = wrap(text, width, start);
      return lead.length + 2 <= start ? lead.padEnd(start) + body.slice(start) : `${lead}\n${body}`;
    })
    .join('');
}

function textWidth(output: Output): number {
  return Math.min(MAX_TEXT_WIDTH, widthOf(output));
}

/** Wrap words into lines of at most `width` columns, each indented by `indent` spaces and ended by a line break. */
function wrap(text: string, width: number, indent: number): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && indent + line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].map((each) => `${' '.repeat(indent)}${each}\n`).join('');
}

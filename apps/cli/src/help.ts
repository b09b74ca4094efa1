/** The text of `--help`: an overview of the commands, or every option of one command. */
import type { Command, Example } from './command.ts';
import type { OptionSpec } from './options.ts';
import { bold, dim, type Output, widthOf } from './output.ts';

const INDENT = 2;
/** Longer option names stand on a separate line. */
const MAX_NAME_WIDTH = 30;
/** Maximum width of prose, for readability. */
const MAX_TEXT_WIDTH = 100;

export const HELP_OPTION: OptionSpec = { name: 'help', short: 'h', value: null, summary: 'show this help' };

/** `gptj --help`. */
export function renderOverview(commands: readonly Command[], output: Output): string {
  const rows = commands.map((command): readonly [string, string] => [command.name, command.summary]);
  return [
    `${bold(output, 'gptj')}: GPT-J on your own machine, and the 2022 Pipeline Cloud API in front of it\n`,
    heading(output, 'usage'),
    '  gptj COMMAND [arguments] [options]\n',
    heading(output, 'commands'),
    columns(rows, output),
    heading(output, 'examples'),
    examples(
      commands.flatMap((command) => command.examples.slice(0, 1)),
      output,
    ),
    heading(output, 'more'),
    columns(
      [
        ['gptj COMMAND --help', 'every option of a command, with defaults and examples'],
        ['gptj --version', 'the version'],
        ['GPTJ_MODEL=FILE', 'environment variable: the model file when --model is not given'],
        ['GPTJ_DEBUG=1', 'environment variable: print the stack of an error'],
      ],
      output,
    ),
  ].join('');
}

/** `gptj COMMAND --help`. */
export function renderCommandHelp(command: Command, output: Output): string {
  return [
    wrap(command.about, textWidth(output), 0),
    heading(output, 'usage'),
    `  gptj ${command.name} ${command.usage}`.trimEnd(),
    '\n',
    ...command.groups.flatMap((group, at) => [
      heading(output, group.title),
      group.namesOnly === true
        ? wrap(group.options.map(({ name }) => `--${name}`).join(' '), textWidth(output), INDENT)
        : columns([...group.options, ...(at === 0 ? [HELP_OPTION] : [])].map(optionRow), output),
    ]),
    heading(output, 'examples'),
    examples(command.examples, output),
  ].join('');
}

function optionRow(option: OptionSpec): readonly [string, string] {
  const short = option.short === undefined ? '' : `-${option.short}, `;
  const name = `${short}--${option.name}${option.value === null ? '' : ` ${option.value}`}`;
  const choices = option.choices === undefined ? '' : `: ${option.choices.join(', ')}`;
  const fallback = option.default === undefined ? '' : ` (default: ${option.default})`;
  return [name, `${option.summary}${choices}${fallback}`];
}

function heading(output: Output, title: string): string {
  return `\n${bold(output, title)}\n`;
}

function examples(list: readonly Example[], output: Output): string {
  return list.map(({ line, caption }) => `  ${dim(output, `# ${caption}`)}\n  ${line}\n`).join('');
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

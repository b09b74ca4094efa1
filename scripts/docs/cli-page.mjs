// The reference of commands in docs/cli.md, from the records that parse the command line.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Render one section for each heading of `gptj --help`, and in it each command. */
export async function renderCommands(root) {
  const compiled = (name) => import(pathToFileURL(join(root, 'apps/cli/dist', name)).href);
  const [{ COMMAND_SECTIONS }, { commandsOf, usageOf }, { optionRow }, parameters, { SERVER_GROUP }] =
    await Promise.all([
      compiled('commands.js'),
      compiled('command.js'),
      compiled('option-row.js'),
      compiled('generate-parameters.js'),
      compiled('client/client-options.js'),
    ]);
  const parameterGroups = new Set([...parameters.GENERATE_PARAMETERS.groups, ...parameters.RUN_PARAMETERS.groups]);
  const renderCommand = ({ path, command }) => {
    const hasParameters = command.groups.some((group) => parameterGroups.has(group));
    const rows = [
      ...command.arguments.map(({ name, summary }) => [name, summary]),
      ...command.groups
        .filter((group) => group !== SERVER_GROUP && !parameterGroups.has(group))
        .flatMap(({ options }) => options.map((option) => optionRow(option))),
    ];
    return [
      `#### gptj ${path.join(' ')}`,
      command.about,
      [
        '```text',
        `gptj ${[...path, usageOf(command), '[options]'].filter((part) => part !== '').join(' ')}`,
        '```',
      ].join('\n'),
      ...(rows.length === 0
        ? []
        : [
            [
              '| argument or option | meaning |',
              '| --- | --- |',
              ...rows.map(
                ([name, meaning]) => `| \`${name.replaceAll('|', '\\|')}\` | ${text(meaning).replaceAll('|', '\\|')} |`,
              ),
            ].join('\n'),
          ]),
      ...(hasParameters
        ? ['Every parameter in [generate.md](generate.md) is an option as well: `top_p` is `--top-p`.']
        : []),
      ...(command.notes === undefined ? [] : [command.notes.map((note) => `- ${text(note)}`).join('\n')]),
      ['```text', ...command.examples.flatMap(({ line, caption }) => [`# ${caption}`, line]), '```'].join('\n'),
    ].join('\n\n');
  };
  const asksServer = ({ command }) => command.groups.includes(SERVER_GROUP);
  const local = COMMAND_SECTIONS.flatMap(({ entries }) => commandsOf(entries)).filter((named) => !asksServer(named));
  const shared = [
    `All commands but ${local.map(({ path }) => `\`${path.join(' ')}\``).join(', ')} have the options of the server as well:`,
    ['| option | meaning |', '| --- | --- |', ...SERVER_GROUP.options.map((option) => row(optionRow(option)))].join(
      '\n',
    ),
  ].join('\n\n');
  const sections = COMMAND_SECTIONS.map(({ title, entries }) => {
    const heading = `### ${title[0].toUpperCase()}${title.slice(1)}`;
    return [heading, ...commandsOf(entries).map(renderCommand)].join('\n\n');
  });
  return [shared, ...sections].join('\n\n');
}

function row([name, meaning]) {
  return `| \`${name.replaceAll('|', '\\|')}\` | ${text(meaning).replaceAll('|', '\\|')} |`;
}

/** Angle brackets would be read as HTML. */
function text(content) {
  return content.replaceAll('<', '&lt;');
}

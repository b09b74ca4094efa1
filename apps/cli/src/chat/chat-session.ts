/** A chat: the story, its parameters, and what each line of the user does. */
import type { CommandContext } from '../command.ts';
import { RUN_PARAMETERS } from '../generate-parameters.ts';
import { dim } from '../output.ts';
import { printable } from '../printable.ts';
import { append, EMPTY_STORY, redo, type Story, spaced, textOf, undo } from './story.ts';
import { loadStory, saveStory } from './story-file.ts';
import type { TextWriter } from './text-writer.ts';

export interface ChatState {
  story: Story;
  parameters: Readonly<Record<string, unknown>>;
  /** The file of the last /save or /load, which /save writes again. */
  file: string | null;
}

export interface ChatTools {
  readonly context: CommandContext;
  readonly writer: TextWriter;
  /** Call `work` with a signal that Ctrl-C aborts. */
  readonly interruptible: <Value>(work: (signal: AbortSignal) => Promise<Value>) => Promise<Value>;
}

/** A word after a slash. */
interface ChatCommand {
  readonly name: string;
  /** Its arguments, for help. */
  readonly usage: string;
  readonly summary: string;
  /** Returns false to leave the chat. */
  run(state: ChatState, tools: ChatTools, words: readonly string[]): Promise<boolean | undefined>;
}

export const CHAT_COMMANDS: readonly ChatCommand[] = [
  {
    name: 'continue',
    usage: '',
    summary: 'continue the text; an empty line does the same',
    run: async (state, tools) => {
      await writeOn(state, tools);
      return true;
    },
  },
  {
    name: 'retry',
    usage: '',
    summary: 'replace the last continuation by another one',
    run: async (state, tools) => {
      const last = state.story.segments.at(-1);
      if (last?.by !== 'model') throw new Error('the text does not end with a continuation; /continue writes one');
      state.story = undo(state.story) ?? EMPTY_STORY;
      if (state.parameters.do_sample === false || state.parameters.seed !== undefined) {
        note(tools, 'without sampling, or with a seed, the text is the same: /set do_sample true, /unset seed');
      }
      await writeOn(state, tools);
      return true;
    },
  },
  {
    name: 'undo',
    usage: '',
    summary: 'take away what was written last, by you or by the model',
    run: async (state, tools) => {
      const before = undo(state.story);
      if (before === null) throw new Error('nothing to undo');
      state.story = before;
      showEnd(state, tools);
      return true;
    },
  },
  {
    name: 'redo',
    usage: '',
    summary: 'put back what /undo took away',
    run: async (state, tools) => {
      const after = redo(state.story);
      if (after === null) throw new Error('nothing to redo');
      state.story = after;
      showEnd(state, tools);
      return true;
    },
  },
  {
    name: 'show',
    usage: '',
    summary: 'print the whole text',
    run: async ({ story }, { context }) => {
      context.stdout.write(`${shown(context, textOf(story))}\n`);
      return true;
    },
  },
  {
    name: 'set',
    usage: '[NAME VALUE]',
    summary: 'set a parameter of generate, such as temperature 0.7; without a name, list them',
    run: async (state, tools, [name, ...rest]) => {
      if (name === undefined) {
        for (const [known, value] of Object.entries(state.parameters)) note(tools, `${known} ${JSON.stringify(value)}`);
        return true;
      }
      if (rest.length === 0) throw new Error(`expected a value: /set ${name} VALUE`);
      const [wireName, value] = RUN_PARAMETERS.parse(name, rest.join(' '));
      state.parameters = { ...state.parameters, [wireName]: value };
      return true;
    },
  },
  {
    name: 'unset',
    usage: 'NAME',
    summary: 'leave a parameter at its default',
    run: async (state, _tools, [name = '']) => {
      const wireName = name.replace(/^--/, '').replaceAll('-', '_');
      if (!Object.hasOwn(state.parameters, wireName))
        throw new Error(`${wireName || 'NAME'} is not set; /set lists those that are`);
      const { [wireName]: _removed, ...others } = state.parameters;
      state.parameters = others;
      return true;
    },
  },
  {
    name: 'tokens',
    usage: '',
    summary: 'count the tokens of the text, and those left in the context',
    run: async ({ story }, tools) => {
      const { writer } = tools;
      const count = await tools.interruptible((signal) => writer.count(textOf(story), signal));
      note(tools, `${count} tokens of ${writer.contextLength}`);
      return true;
    },
  },
  {
    name: 'save',
    usage: '[FILE]',
    summary: 'write text and parameters to a file; without a name to that of the last /save or /load',
    run: async (state, tools, words) => {
      const path = words.join(' ') || state.file;
      if (path === null) throw new Error('expected a file: /save FILE');
      await saveStory(path, state, path === state.file);
      state.file = path;
      note(tools, `saved to ${printable(path)}`);
      return true;
    },
  },
  {
    name: 'load',
    usage: 'FILE',
    summary: 'go on with a saved text and its parameters',
    run: async (state, tools, words) => {
      const path = words.join(' ');
      if (path === '') throw new Error('expected a file: /load FILE');
      Object.assign(state, await loadStory(path), { file: path });
      showEnd(state, tools);
      return true;
    },
  },
  {
    name: 'new',
    usage: '',
    summary: 'begin another text; the parameters stay',
    run: async (state) => {
      state.story = EMPTY_STORY;
      state.file = null;
      return true;
    },
  },
  {
    name: 'help',
    usage: '',
    summary: 'show these commands',
    run: async (_state, tools) => {
      for (const { name, usage, summary } of CHAT_COMMANDS) {
        note(tools, `/${`${name} ${usage}`.trimEnd().padEnd(18)} ${summary}`);
      }
      note(tools, '""" begins and ends a text of several lines, // a line that begins with a slash');
      note(tools, 'Ctrl-C stops the model and keeps the text so far, Ctrl-D leaves');
      return true;
    },
  },
  { name: 'quit', usage: '', summary: 'leave', run: async () => false },
];

/** Words of other programs for the same. */
const OTHER_NAMES: ReadonlyMap<string, string> = new Map([
  ['exit', 'quit'],
  ['bye', 'quit'],
  ['q', 'quit'],
  ['?', 'help'],
  ['regenerate', 'retry'],
  ['clear', 'new'],
  ['reset', 'new'],
  ['parameters', 'set'],
]);

/** Do what a line says. Returns false to leave the chat; throws an error to show. */
export async function takeLine(state: ChatState, tools: ChatTools, line: string): Promise<boolean> {
  if (!line.startsWith('/') || line.startsWith('//')) {
    const typed = line.startsWith('//') ? line.slice(1) : line;
    state.story = append(state.story, { by: 'user', text: spaced(state.story, typed) });
    await writeOn(state, tools);
    return true;
  }
  const [word = '', ...words] = line.slice(1).trim().split(/\s+/);
  const name = OTHER_NAMES.get(word) ?? word;
  const command = CHAT_COMMANDS.find((known) => known.name === name);
  if (command === undefined) throw new Error(`unknown command /${word}; /help lists the commands`);
  return (await command.run(state, tools, words)) ?? true;
}

/** Let the model continue the text, and keep what it wrote, also when Ctrl-C stops it. */
async function writeOn(state: ChatState, tools: ChatTools): Promise<void> {
  const { context, writer, interruptible } = tools;
  const { stdout } = context;
  const text = textOf(state.story);
  if (text === '') throw new Error('the text is empty: type its beginning');
  let written = '';
  const onText = async (piece: string): Promise<void> => {
    written += piece;
    stdout.write(shown(context, piece));
    await stdout.drained();
  };
  await interruptible(async (signal) => {
    try {
      const { line, warnings, leftOut } = await writer.write({ text, parameters: state.parameters, signal, onText });
      stdout.write('\n');
      for (const warning of warnings) note(tools, `warning: ${warning}`);
      if (leftOut > 0)
        note(tools, `the first ${leftOut} tokens of the text are left out: the context has ${writer.contextLength}`);
      note(tools, line);
    } catch (error) {
      if (written !== '') stdout.write('\n');
      if (!signal.aborted) throw error;
      if (!context.signal.aborted) note(tools, 'stopped; /undo takes the text away');
    } finally {
      state.story = append(state.story, { by: 'model', text: written });
    }
  });
}

/** The end of the text, after a change that printed none of it. */
function showEnd({ story }: ChatState, { context }: ChatTools): void {
  const end = textOf(story).slice(-200);
  context.stdout.write(end === '' ? '(empty)\n' : `…${shown(context, end)}\n`);
}

function shown({ stdout }: CommandContext, text: string): string {
  return stdout.columns === null ? text : printable(text, true);
}

function note({ context: { stderr } }: ChatTools, text: string): void {
  stderr.write(`${dim(stderr, printable(text))}\n`);
}

import { CHAT_COMMANDS, type ChatState, takeLine } from '../chat/chat-session.ts';
import { openLineInput } from '../chat/line-input.ts';
import { createLocalWriter } from '../chat/local-writer.ts';
import { createServerWriter } from '../chat/server-writer.ts';
import { EMPTY_STORY } from '../chat/story.ts';
import { loadStory } from '../chat/story-file.ts';
import type { TextWriter } from '../chat/text-writer.ts';
import { chooseEngine, LOCAL_OPTION } from '../client/choose-engine.ts';
import { SERVER_GROUP } from '../client/client-options.ts';
import type { Command, CommandContext } from '../command.ts';
import { REFUSED_PARAMETERS, RUN_PARAMETERS } from '../generate-parameters.ts';
import { MODEL_OPTIONS, openLocalModel } from '../local-model.ts';
import type { ParsedOptions } from '../options.ts';
import { dim } from '../output.ts';
import { printable } from '../printable.ts';

/** Parameters where the command line names no others: short turns that differ from one another. */
const START: Readonly<Record<string, unknown>> = { max_new_tokens: 64, do_sample: true, temperature: 0.8, top_p: 0.95 };
const FENCE = '"""';

export const chatCommand: Command = {
  name: 'chat',
  summary: 'write a text together with the model, turn by turn',
  about:
    'Continues one text in turns: what you type is appended, then the model goes on. GPT-J is a base model: it answers no questions, it continues texts.',
  arguments: [{ name: 'FILE', summary: 'a saved chat to go on with', optional: true, values: 'file' }],
  notes: [
    ...CHAT_COMMANDS.map(({ name, usage, summary }) => `/${`${name} ${usage}`.trimEnd()}: ${summary}.`),
    'Ctrl-C stops the model and keeps the text so far, Ctrl-D leaves.',
    'It asks the server of the profile, of a variable or an option; else it loads a model file.',
  ],
  groups: [{ title: 'options', options: [LOCAL_OPTION, ...MODEL_OPTIONS] }, SERVER_GROUP, ...RUN_PARAMETERS.groups],
  examples: [
    { line: 'gptj chat', caption: 'begin a text' },
    { line: 'gptj chat story.json --temperature 0.7', caption: 'go on with a saved one' },
    { line: 'gptj chat --model gpt-j-6b.gguf', caption: 'with a model file, without a server' },
  ],
  refused: REFUSED_PARAMETERS,

  async run(context, options) {
    const [file] = options.positionals;
    const loaded = file === undefined ? null : await loadStory(file);
    const state: ChatState = {
      story: loaded?.story ?? EMPTY_STORY,
      parameters: { ...START, ...loaded?.parameters, ...RUN_PARAMETERS.read(options) },
      file: file ?? null,
    };
    const writer = await openWriter(context, options);
    try {
      await converse(context, state, writer);
    } finally {
      await writer.close();
    }
  },
};

async function openWriter(context: CommandContext, options: ParsedOptions): Promise<TextWriter> {
  const { api, url } = await chooseEngine(context, options);
  if (api !== null) return await createServerWriter(api, url, context.signal);
  const model = await openLocalModel(context, options);
  return createLocalWriter(model, await model.load(), context.now);
}

async function converse(context: CommandContext, state: ChatState, writer: TextWriter): Promise<void> {
  const { stdout, stderr, signal } = context;
  const input = openLineInput(context, { complete: completions, leaveHint: 'Ctrl-D or /quit leaves' });
  const tools = { context, writer, interruptible: input.interruptible };
  if (stdout.columns !== null) {
    stderr.write(`${dim(stderr, `${printable(writer.description)} · type a beginning, /help for more`)}\n`);
  }
  try {
    for (;;) {
      const line = await readEntry(input.next);
      if (line === null || signal.aborted) break;
      try {
        if (!(await takeLine(state, tools, line === '' ? '/continue' : line))) break;
      } catch (error) {
        stderr.write(`${printable(error instanceof Error ? error.message : String(error))}\n`);
      }
    }
  } finally {
    input.close();
  }
  if (stdout.columns !== null) stdout.write('\n');
}

/** A line, or the lines between two fences; null at the end of the input. */
async function readEntry(next: (prompt: string) => Promise<string | null>): Promise<string | null> {
  const first = await next('> ');
  if (first === null || !first.startsWith(FENCE)) return first;
  const lines = [first.slice(FENCE.length)];
  while (!lines.at(-1)!.endsWith(FENCE)) {
    const line = await next('. ');
    if (line === null) return lines.join('\n');
    lines.push(line);
  }
  const text = lines.join('\n').slice(0, -FENCE.length);
  return text.startsWith('/') ? `/${text}` : text;
}

/** Commands after a slash, and parameters after /set and /unset. */
function completions(line: string): readonly string[] {
  const parameter = /^\/(set|unset) (\S*)$/.exec(line);
  const all =
    parameter === null
      ? CHAT_COMMANDS.map(({ name }) => `/${name}`)
      : RUN_PARAMETERS.names.map((name) => `/${parameter[1]} ${name}`);
  return line.startsWith('/') ? all.filter((entry) => entry.startsWith(line)) : [];
}

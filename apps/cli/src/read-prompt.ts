import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { TextDecoder } from 'node:util';
import type { Argument } from './command.ts';
import { type OptionSpec, type ParsedOptions, UsageError } from './options.ts';

/** GPT-J reads at most 2048 tokens, far less than this. The limit bounds the memory that a wrong file can use. */
const MAX_BYTES = 4 * 1024 * 1024;

export const PROMPT_ARGUMENT: Argument = {
  name: 'PROMPT',
  summary: 'the text to continue; standard input without it, or for -',
  optional: true,
};

export const PROMPT_OPTIONS: readonly OptionSpec[] = [
  { name: 'file', short: 'f', value: 'FILE', summary: 'read the prompt from a file' },
  { name: 'prompt', short: 'p', value: 'TEXT', summary: 'the prompt, in place of the argument' },
];

/**
 * The prompt: the argument or `--prompt`, the file of `--file`, or standard input when there is none or it is `-`. One line
 * break at the end of a file or of standard input is dropped, since `echo` and editors add it. Throws `UsageError` when there
 * is no prompt, or more than one.
 */
export async function readPrompt(
  stdin: Readable & { readonly isTTY?: boolean },
  options: ParsedOptions,
): Promise<string> {
  const [argument] = options.positionals;
  const option = options.values.get('prompt');
  const file = options.values.get('file');
  const given = [argument, option, file].filter((source) => source !== undefined);
  if (given.length > 1) throw new UsageError('expected one prompt: an argument, --prompt or --file');
  const text = argument ?? option;
  if (text !== undefined && text !== '-') return requireText(text);
  if (file !== undefined && file !== '-') return requireText(await readFilePrompt(file));
  if (given.length === 0 && stdin.isTTY === true) {
    throw new UsageError('expected a prompt: "Once upon a time" in quotes, --file FILE, or text on standard input');
  }
  return requireText(textOf('standard input', await readAll('standard input', stdin)));
}

async function readAll(source: string, stream: Readable): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of stream) {
    const bytes = Buffer.from(piece);
    length += bytes.length;
    if (length > MAX_BYTES) throw new UsageError(`${source}: expected at most ${MAX_BYTES} bytes of prompt, got more`);
    pieces.push(bytes);
  }
  return Buffer.concat(pieces);
}

async function readFilePrompt(path: string): Promise<string> {
  const file = await open(path).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`--file: expected a readable file, got ${JSON.stringify(path)} (${reason})`, { cause });
  });
  try {
    return textOf(path, await readAll(path, file.createReadStream({ autoClose: false })));
  } finally {
    await file.close();
  }
}

function requireText(prompt: string): string {
  if (prompt === '') throw new UsageError('expected a prompt that is not empty');
  return prompt;
}

/** UTF-8 without one line break at its end. */
function textOf(source: string, bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).replace(/\r?\n$/, '');
  } catch {
    throw new UsageError(`${source}: expected UTF-8 text, got other bytes`);
  }
}

import type { Readable } from 'node:stream';
import { TextDecoder } from 'node:util';
import { type ParsedOptions, UsageError } from './options.ts';

/** GPT-J reads at most 2048 tokens, far less than this. The limit bounds the memory that a wrong file can use. */
const MAX_BYTES = 4 * 1024 * 1024;

/**
 * The prompt: the argument, or standard input when there is none or it is `-`. One line break at the end of standard
 * input is dropped, since `echo` adds it. Throws `UsageError` when there is no prompt.
 */
export async function readPrompt(
  stdin: Readable & { readonly isTTY?: boolean },
  options: ParsedOptions,
): Promise<string> {
  const [argument, extra] = options.positionals;
  if (extra !== undefined) {
    throw new UsageError(`unexpected argument ${JSON.stringify(extra)}; put the prompt in quotes`);
  }
  if (argument !== undefined && argument !== '-') return requireText(argument);
  if (argument === undefined && stdin.isTTY === true) {
    throw new UsageError('expected a prompt: gptj generate "Once upon a time", or text on standard input');
  }
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of stdin) {
    const bytes = Buffer.from(piece);
    length += bytes.length;
    if (length > MAX_BYTES)
      throw new UsageError(`standard input: expected at most ${MAX_BYTES} bytes of prompt, got more`);
    pieces.push(bytes);
  }
  return requireText(decodeUtf8(Buffer.concat(pieces)).replace(/\r?\n$/, ''));
}

function requireText(prompt: string): string {
  if (prompt === '') throw new UsageError('expected a prompt that is not empty');
  return prompt;
}

function decodeUtf8(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new UsageError('standard input: expected UTF-8 text, got other bytes');
  }
}

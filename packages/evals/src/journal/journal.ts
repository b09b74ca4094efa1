/**
 * An append-only file of scores, one JSON line for each request. Lines are appended whole and synchronised for each batch, so a
 * process that is killed loses the batch in progress. A line that a kill cut is ignored, and the next one begins on a line of
 * its own: several processes may append to one journal.
 */
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { EvaluationError } from '../evaluation-error.ts';
import type { TokenScores } from '../scoring/token-scorer.ts';

export interface JournalEntry {
  readonly key: string;
  readonly scores: TokenScores;
}

export class Journal {
  readonly #file: FileHandle;
  readonly #scores: Map<string, TokenScores>;
  readonly #texts: Map<string, string>;

  private constructor(file: FileHandle, scores: Map<string, TokenScores>, texts: Map<string, string>) {
    this.#file = file;
    this.#scores = scores;
    this.#texts = texts;
  }

  /** Creates the file and its folder where they do not exist. Throws `journal_invalid` for a file of another kind. */
  static async open(path: string): Promise<Journal> {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(path, 'a+');
    try {
      if (!(await beginsAsJournal(file))) {
        throw new EvaluationError('journal_invalid', `${path}: expected a journal of gptj eval, got another file`);
      }
      const scores = new Map<string, TokenScores>();
      const texts = new Map<string, string>();
      for await (const line of createInterface({
        input: createReadStream(path),
        crlfDelay: Number.POSITIVE_INFINITY,
      })) {
        readLine(line, scores, texts);
      }
      if (!(await endsLine(file))) await file.appendFile('\n');
      return new Journal(file, scores, texts);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  scores(key: string): TokenScores | undefined {
    return this.#scores.get(key);
  }

  text(key: string): string | undefined {
    return this.#texts.get(key);
  }

  async append(entries: readonly JournalEntry[]): Promise<void> {
    if (entries.length === 0) return;
    for (const { key, scores } of entries) this.#scores.set(key, scores);
    await this.#write(entries.map(({ key, scores }) => ({ k: key, l: scores.logprobs, g: flags(scores) })));
  }

  async appendText(key: string, text: string): Promise<void> {
    this.#texts.set(key, text);
    await this.#write([{ k: key, t: text }]);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #write(lines: readonly unknown[]): Promise<void> {
    await this.#file.appendFile(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    await this.#file.datasync();
  }
}

/** What every line begins with. */
const LINE_START = '{"k":"';

/** Whether the file is empty or its first line is one of a journal, which a kill may have cut. */
async function beginsAsJournal(file: FileHandle): Promise<boolean> {
  const { bytesRead, buffer } = await file.read(Buffer.alloc(LINE_START.length), 0, LINE_START.length, 0);
  const [line] = buffer.subarray(0, bytesRead).toString('latin1').split('\n');
  return bytesRead === 0 || (line !== '' && LINE_START.startsWith(line!));
}

/** Whether the file is empty or ends with a line break. */
async function endsLine(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return true;
  const last = new Uint8Array(1);
  await file.read(last, 0, 1, size - 1);
  return last[0] === 0x0a;
}

/** For each token: 2 greedy, 1 as likely as the greedy one, 0 less likely. */
function flags({ greedy, top }: TokenScores): string {
  return greedy.map((isGreedy, at) => (isGreedy ? '2' : top[at] ? '1' : '0')).join('');
}

/** Lines that are not whole, or of a later version, are left out: their requests are computed again. */
function readLine(line: string, scores: Map<string, TokenScores>, texts: Map<string, string>): void {
  if (line === '') return;
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  const { k, l, g, t } = value as Readonly<Record<string, unknown>>;
  if (typeof k !== 'string') return;
  if (typeof t === 'string') texts.set(k, t);
  if (!Array.isArray(l) || !l.every((each) => typeof each === 'number') || typeof g !== 'string') return;
  if (g.length !== l.length) return;
  scores.set(k, {
    logprobs: l,
    greedy: Array.from(g, (flag) => flag === '2'),
    top: Array.from(g, (flag) => flag !== '0'),
  });
}

/** Stories as files of JSON: the segments and the parameters. */
import { open } from 'node:fs/promises';
import { writeNewFile } from '../write-new-file.ts';
import type { Segment, Story } from './story.ts';

export interface SavedStory {
  readonly story: Story;
  /** Parameters of generate by their wire names. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

const FORMAT = 'gptj chat 1';
/** A context has a few kilobytes of text; this is a thousand of them. */
const MAX_BYTES = 16 * 1024 * 1024;

export async function saveStory(path: string, { story, parameters }: SavedStory, overwrite: boolean): Promise<void> {
  const value = { format: FORMAT, parameters, segments: story.segments };
  await writeNewFile(path, `${JSON.stringify(value, null, 2)}\n`, { overwrite });
}

/** Throws an error that states what was expected for a file of another form. */
export async function loadStory(path: string): Promise<SavedStory> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    if (size > MAX_BYTES) throw new Error(`${path}: expected a saved chat of at most ${MAX_BYTES} bytes, got ${size}`);
    return parseStory(path, await file.readFile('utf8'));
  } finally {
    await file.close();
  }
}

function parseStory(path: string, text: string): SavedStory {
  const value = objectOf(readJson(text));
  const parameters = objectOf(value?.parameters);
  const segments: unknown = value?.segments;
  if (value?.format !== FORMAT || parameters === null || !Array.isArray(segments)) {
    throw new Error(`${path}: expected a file that /save of gptj chat has written`);
  }
  return { story: { segments: segments.map((segment) => segmentOf(path, segment)), undone: [] }, parameters };
}

function segmentOf(path: string, value: unknown): Segment {
  const { by, text } = objectOf(value) ?? {};
  if ((by === 'user' || by === 'model') && typeof text === 'string') return { by, text };
  throw new Error(`${path}: expected segments with by (user or model) and text`);
}

function readJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return null;
  }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
}

import { readdirSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { convertCheckpoint } from '@gptj-cloud/checkpoint';
import { SYSTEM_CLOCK } from '../download/clock.ts';
import type { PullEvent } from '../pull/pull-events.ts';
import { pullModel } from '../pull/pull-model.ts';
import type { PullOptions } from '../pull/pull-options.ts';
import { type LoopbackHub, type LoopbackHubOptions, startLoopbackHub } from './loopback-hub.ts';
import { testLocks } from './test-locks.ts';

export interface PullWorldOptions {
  /** What the hub has as `EleutherAI/gpt-j-6b`, by name. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly sizes?: PullOptions['sizes'];
  readonly hub?: Partial<LoopbackHubOptions>;
}

export interface PullWorld {
  /** The folder of the store. */
  readonly models: string;
  readonly hub: LoopbackHub;
  readonly events: readonly PullEvent[];
  readonly pull: (signal?: AbortSignal) => ReturnType<typeof pullModel>;
  /** Bytes on the disk of the file that ends so; the model file has its full size from the start. */
  readonly blocks: (end: string) => number;
  /** Names in the folders of the pull. */
  readonly staged: () => readonly string[];
  /** The bytes that a conversion of all files at once gives. */
  readonly whole: () => Promise<Buffer>;
}

/** A hub, an empty store, and a pull from the one into the other in float16. */
export async function openPullWorld(
  t: TestContext,
  { files, sizes, hub: hubOptions }: PullWorldOptions,
): Promise<PullWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'gptj-pull-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const models = join(folder, 'models');
  const hub = await startLoopbackHub({ repository: 'EleutherAI/gpt-j-6b', files, ...hubOptions });
  t.after(() => hub.close());
  const events: PullEvent[] = [];
  const pull = (signal = new AbortController().signal) =>
    pullModel({
      models,
      from: 'gpt-j-6b',
      name: null,
      type: 'f16',
      endpoint: hub.url,
      token: null,
      hubCache: null,
      offline: false,
      fetch: async (url, init) => await fetch(url, init),
      clock: { ...SYSTEM_CLOCK, sleep: async () => {} },
      ...(sizes === undefined ? {} : { sizes }),
      tryLock: testLocks(),
      machine: { totalBytes: 2 ** 34, freeBytes: 2 ** 34, isLimited: false },
      checksMemory: false,
      onEvent: (event) => events.push(event),
      signal,
    });
  const blocks = (end: string): number => {
    const name = readdirSync(models, { recursive: true }).find((each) => String(each).endsWith(end));
    return name === undefined ? 0 : statSync(join(models, String(name))).blocks * 512;
  };
  const staged = (): string[] =>
    readdirSync(models, { recursive: true, withFileTypes: true }).flatMap((entry) =>
      entry.isFile() ? [entry.name] : [],
    );
  const whole = async (): Promise<Buffer> => {
    const source = join(folder, 'models--EleutherAI--gpt-j-6b', 'snapshots', hub.commit);
    await mkdir(source, { recursive: true });
    for (const [name, bytes] of files) await writeFile(join(source, name), bytes);
    await convertCheckpoint({ source, target: join(folder, 'whole.gguf'), type: 'f16' });
    return await readFile(join(folder, 'whole.gguf'));
  };
  return { models, hub, events, pull, blocks, staged, whole };
}

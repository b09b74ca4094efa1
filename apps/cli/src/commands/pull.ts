import { RECIPES, type Recipe } from '@gptj-cloud/checkpoint';
import { findGpuMemory, readMachineMemory } from '@gptj-cloud/engine';
import {
  hubCacheFolder,
  isModelName,
  openFetch,
  type PullEvent,
  pullModel,
  readHubSettings,
  type StoredModel,
} from '@gptj-cloud/model-store';
import { tryLockFolder } from '@gptj-cloud/server';
import { writeJson } from '../client/api-json.ts';
import { JSON_OPTION } from '../client/client-options.ts';
import type { Command, CommandContext } from '../command.ts';
import { formatBytes, formatDuration } from '../figures.ts';
import { modelJson } from '../model-json.ts';
import { isOn, type ParsedOptions, UsageError } from '../options.ts';
import { widthOf } from '../output.ts';
import { printable } from '../printable.ts';
import { createProgressPrinter, type ProgressPrinter } from '../progress.ts';
import { DATA_DIR_OPTION, storeFolder } from '../store-options.ts';
import { renderPairs } from '../table.ts';

/** The choice of a type by the free memory. */
const FIT = 'fit';
/** Shorter pauses are not worth a line. */
const MIN_SHOWN_PAUSE_MS = 5000;

export const pullCommand: Command = {
  name: 'pull',
  summary: 'download a model, convert it and keep it in the data folder',
  about:
    'Brings a GPT-J from a hub, an address or a folder into DATA_DIR/models, from where gptj serve, generate and chat take it by its name. A download that was stopped, also by kill -9, goes on where it stopped when the command is repeated: no byte that is safe on the disk is fetched twice, and every file is checked by its SHA-256.',
  arguments: [
    {
      name: 'MODEL',
      summary: 'gpt-j-6b, OWNER/NAME[@REVISION] of a hub, an address, or a path that begins with ./ or /',
      optional: true,
    },
  ],
  notes: [
    'gpt-j-6b is EleutherAI/gpt-j-6b@float16: 12.1 GB to download.',
    'Only files that a conversion reads are downloaded: the config, the tokenizer, and the weights as safetensors, else as PyTorch.',
    'What the disk or the memory cannot hold is refused before the weights are downloaded.',
    'Files in the cache of Hugging Face (HF_HUB_CACHE, HF_HOME) are linked, not downloaded; HF_HUB_OFFLINE=1 uses nothing else.',
    'HF_ENDPOINT names another hub, HF_TOKEN is its token, HTTPS_PROXY and NO_PROXY are respected.',
  ],
  groups: [
    {
      title: 'options',
      options: [
        {
          name: 'type',
          value: 'TYPE',
          summary:
            'storage type of the weights; fit chooses the most precise one that fits into the free memory, of the GPU where one computes',
          choices: [FIT, ...RECIPES],
          default: FIT,
        },
        { name: 'name', value: 'NAME', summary: 'name in the data folder', default: 'made from that of the source' },
        { name: 'from', value: 'PATH', summary: 'read the model from this folder or file; MODEL is its name then' },
        DATA_DIR_OPTION,
        JSON_OPTION,
      ],
    },
  ],
  examples: [
    { line: 'gptj pull gpt-j-6b', caption: 'then: gptj serve --model gpt-j-6b' },
    { line: 'gptj pull gpt-j-6b --type q4_0', caption: 'the smallest and fastest on most CPUs' },
    { line: 'gptj pull PygmalionAI/pygmalion-6b', caption: 'a fine-tune' },
    { line: 'gptj pull ./gpt-j-6b', caption: 'a folder that you have downloaded' },
  ],

  async run(context, options) {
    const source = sourceOf(options);
    await runPull(context, options, { ...source, command: `gptj pull ${source.from}` });
  },
};

interface Pulled {
  readonly from: string;
  /** In the store; null: made from the source. */
  readonly name: string | null;
  /** The command that goes on when it was stopped. */
  readonly command: string;
}

/** Pull with the options of `pullCommand`, and show progress and result. */
export async function runPull(
  context: CommandContext,
  options: ParsedOptions,
  { from, name, command }: Pulled,
): Promise<void> {
  const { stdout, stderr, env, signal, now } = context;
  const isJson = isOn(options, 'json');
  const bars: Bars = {
    download: createProgressPrinter(stderr, now),
    convert: createProgressPrinter(stderr, now),
  };
  const startedMs = now();
  try {
    const stored = await pullModel({
      models: storeFolder(options, env),
      from,
      name,
      type: typeOf(options),
      ...readHubSettings(env),
      hubCache: hubCacheFolder(env),
      fetch: await openFetch(env),
      tryLock: tryLockFolder,
      machine: readMachineMemory(),
      gpu: await findGpuMemory(env, signal),
      checksMemory: env.ENGINE_MEMORY_CHECK?.trim() !== 'off',
      onEvent: (event) => (isJson ? writeEvent(context, event) : showEvent(context, bars, event)),
      signal,
    });
    clear(bars);
    if (isJson) stdout.write(`${JSON.stringify({ event: 'stored', model: modelJson(stored) })}\n`);
    else stdout.write(renderStored(stored, now() - startedMs, widthOf(stdout)));
  } catch (error) {
    clear(bars);
    if (signal.aborted) stderr.write(`stopped; the same command goes on where it stopped: ${command}\n`);
    throw error;
  }
}

/** Progress begins anew with each of them. */
type Bars = Readonly<Record<'download' | 'convert', ProgressPrinter>>;

function clear(bars: Bars): void {
  bars.download.clear();
  bars.convert.clear();
}

/** What to pull, and its name in the store. Throws `UsageError`. */
function sourceOf(options: ParsedOptions): { readonly from: string; readonly name: string | null } {
  const [model] = options.positionals;
  const path = options.values.get('from');
  const given = options.values.get('name') ?? (path === undefined ? null : (model ?? null));
  if (given !== null && !isModelName(given)) {
    throw new UsageError(`--name: expected letters, digits, dots, - and _, got ${JSON.stringify(given.slice(0, 100))}`);
  }
  if (path !== undefined) return { from: /^[./]/.test(path) ? path : `./${path}`, name: given };
  if (model === undefined) throw new UsageError('expected MODEL, for instance gpt-j-6b');
  return { from: model, name: given };
}

function typeOf(options: ParsedOptions): Recipe | null {
  return RECIPES.find((recipe) => recipe === options.values.get('type')) ?? null;
}

/** One line of JSON for every event. */
function writeEvent({ stdout }: CommandContext, event: PullEvent): void {
  const { type, ...rest } = event;
  writeJson(stdout, { event: type, ...rest });
}

function showEvent({ stderr }: CommandContext, bars: Bars, event: PullEvent): void {
  const line = (text: string): void => {
    clear(bars);
    stderr.write(`${printable(text)}\n`);
  };
  switch (event.type) {
    case 'source': {
      const { from, revision, commit } = event.source;
      const pinned = commit === null ? '' : `@${revision} (commit ${commit.slice(0, 12)})`;
      line(`${event.resumed ? 'going on with' : 'from'} ${from}${pinned}`);
      return;
    }
    case 'plan': {
      const { recipe, reason, downloadBytes, fileBytes } = event;
      line(`type ${recipe}: ${reason}`);
      const download = downloadBytes === 0 ? '' : `${formatBytes(downloadBytes)} to download, then `;
      line(`${download}a file of ${formatBytes(fileBytes)}`);
      return;
    }
    case 'download':
      bars.download.update(event.doneBytes, event.totalBytes, event.file);
      return;
    case 'convert':
      bars.convert.update(event.doneBytes, event.totalBytes, `converting ${event.tensor}`);
      return;
    case 'wait':
      if (event.ms === 0) line(event.reason);
      else if (event.ms >= MIN_SHOWN_PAUSE_MS) line(`${event.reason}; next try in ${formatDuration(event.ms)}`);
      return;
    case 'present':
      line(`${event.model} of this commit is stored already`);
      return;
    case 'warning':
      line(`warning: ${event.message}`);
      return;
    default:
      event satisfies never;
  }
}

function renderStored(stored: StoredModel, tookMs: number, width: number): string {
  const { name, type, path, sizeBytes, sha256 } = stored;
  const pairs = renderPairs(
    [
      ['name', name],
      ['type', type],
      ['file', path],
      ['size', formatBytes(sizeBytes)],
      ['sha256', sha256],
      ['took', formatDuration(tookMs)],
    ],
    Math.max(width, path.length + 10, sha256.length + 10),
  );
  return `${pairs}\ngptj serve --model ${name} serves it\n`;
}

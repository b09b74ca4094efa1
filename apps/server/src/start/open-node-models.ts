/**
 * The models that other servers on the store have registered and compute: all of those of a server without an engine, and beside
 * its own those of any other server of the API. They come and go, and so do their adapters.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { EngineInfo } from '@gptj-cloud/engine';
import { GPTJ_PIPELINE_ID } from '@gptj-cloud/protocol';
import { createTokenizer, type Tokenizer } from '@gptj-cloud/tokenizer';
import type { ModelsElsewhere } from '../generation/serving/serving-service.ts';
import { createEngineNodes } from '../runs/nodes/engine-nodes.ts';
import { createNodeEngine } from '../runs/nodes/node-engine.ts';
import { findNodeModels, type NodeModel, readVocabulary } from '../runs/nodes/node-model-store.ts';
import { findHolders } from '../runs/nodes/node-prefix-store.ts';
import { signRequest } from '../runs/nodes/node-signature.ts';
import { ensureNodeSecret, findEngineNodes } from '../runs/nodes/node-store.ts';
import type { Database, Store } from '../store/db.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { ModelStart, ServedModel } from './open-models.ts';

export interface NodeModels extends ModelsElsewhere {
  /** Those found last. */
  readonly present: readonly ServedModel[];
  find(): Promise<readonly ServedModel[]>;
  /** Called when models or their adapters have changed, before requests get them. */
  onChange: () => void;
}

export interface NodeModelsOptions {
  readonly db: Database;
  /** The time of the store. */
  readonly clock: () => Date;
  readonly logger: Logger;
  /** This server has a model of the name itself. */
  readonly isOwn: (name: string) => boolean;
}

/** Interval at which a server waits for its first worker. */
const WAIT_MS = 500;

/** A model as it was found last. */
interface Known {
  readonly served: ServedModel;
  readonly tokenizer: string;
  /** What the engine shows. */
  readonly registered: { info: EngineInfo };
}

/** Follow the models of other servers, beside the first one of this server. */
export async function followNodeModels({ isOwn, ...deps }: NodeModelsOptions): Promise<NodeModels> {
  const { db } = deps;
  const open = await createOpener(deps);
  let known: readonly Known[] = [];
  const refresh = async (model: NodeModel): Promise<Known | null> => {
    const same = known.find((each) => isSame(each, model));
    if (same === undefined) return await open(model);
    if (hasChanged(same.registered.info, model.info)) {
      same.registered.info = model.info;
      followed.onChange();
    }
    return same;
  };
  const followed: NodeModels = {
    onChange() {},
    get present() {
      return known.map(({ served }) => served);
    },
    async find() {
      const next: Known[] = [];
      for (const model of await findNodeModels(db)) {
        // The first model of another server has no pipeline of its own.
        if (model.pipelineId === GPTJ_PIPELINE_ID || isOwn(model.info.modelName)) continue;
        const found = await refresh(model);
        if (found !== null) next.push(found);
      }
      const isChanged = next.length !== known.length || next.some((each, at) => each !== known[at]);
      known = next;
      if (isChanged) followed.onChange();
      return followed.present;
    },
  };
  return followed;
}

/** The models of a server without an engine, that of the GPT-J pipeline first. */
export interface OpenedNodeModels {
  readonly first: ServedModel;
  readonly nodes: NodeModels;
}

/** Waits until a worker has registered its models, where none ever has. Throws the reason of the signal. */
export async function openNodeModels(
  { store: { db }, clock }: { readonly store: Store; readonly clock: () => Date },
  { logger, print, signal }: Pick<ModelStart, 'logger' | 'print' | 'signal'>,
): Promise<OpenedNodeModels> {
  await waitForFirst(db, () => print('Waiting for the first gptj worker on this database'), signal);
  const open = await createOpener({ db, clock, logger });
  const found = await findFirst(db);
  const first = found === undefined ? null : await open(found);
  if (first === null) throw new TypeError('expected the model of the GPT-J pipeline with its vocabulary, got none');
  const { modelName } = first.registered.info;
  let unlike = modelName;
  // Two workers may have the same model, one of them as its first.
  const nodes = await followNodeModels({ db, clock, logger, isOwn: (name) => name === modelName });
  const followed: NodeModels = {
    get present() {
      return nodes.present;
    },
    get onChange() {
      return nodes.onChange;
    },
    set onChange(onChange) {
      nodes.onChange = onChange;
    },
    async find() {
      const now = await findFirst(db);
      if (now !== undefined && isSame(first, now)) {
        if (hasChanged(first.registered.info, now.info)) {
          first.registered.info = now.info;
          nodes.onChange();
        }
      } else if (now !== undefined && now.info.modelName !== unlike) {
        unlike = now.info.modelName;
        logger.warn('the workers have another first model: start this server again', { model: modelName, now: unlike });
      }
      return await nodes.find();
    },
  };
  await followed.find();
  return { first: first.served, nodes: followed };
}

/** How a model of other servers is opened; null: its vocabulary is gone. */
async function createOpener({
  db,
  clock,
  logger,
}: Omit<NodeModelsOptions, 'isOwn'>): Promise<(model: NodeModel) => Promise<Known | null>> {
  const secret = await ensureNodeSecret(db);
  const nodes = createEngineNodes({
    find: () => findEngineNodes(db),
    findHolders: (labels) => findHolders(db, labels),
    now: () => performance.now(),
    random: Math.random,
  });
  /** By hash. Models come and go, and most of them have that of GPT-J. */
  const tokenizers = new Map<string, Pick<ServedModel, 'vocabulary'> & { readonly tokenizer: Tokenizer }>();
  return async ({ info, tokenizer: hash }) => {
    let read = tokenizers.get(hash);
    if (read === undefined) {
      const vocabulary = await readVocabulary(db, hash);
      if (vocabulary === null) return null;
      read = { vocabulary, tokenizer: createTokenizer(vocabulary) };
      tokenizers.set(hash, read);
    }
    const registered = { info };
    const engine = createNodeEngine({
      info: () => registered.info,
      nodes,
      sign: (request) => signRequest(secret, request, clock()),
      onRefusal: (node, reason) =>
        logger.warn('a worker did not take a generation', { node: node.id, url: node.url, reason }),
    });
    return { served: { ...read, engine, isElsewhere: true }, tokenizer: hash, registered };
  };
}

/** What a request needs to know of it is the same, but for its adapters. */
function isSame({ registered: { info }, tokenizer }: Known, model: NodeModel): boolean {
  return (
    info.modelName === model.info.modelName &&
    tokenizer === model.tokenizer &&
    JSON.stringify(info.config) === JSON.stringify(model.info.config)
  );
}

function hasChanged(info: EngineInfo, next: EngineInfo): boolean {
  return JSON.stringify({ ...info, loadMs: 0 }) !== JSON.stringify({ ...next, loadMs: 0 });
}

async function findFirst(db: Database): Promise<NodeModel | undefined> {
  return (await findNodeModels(db)).find(({ pipelineId }) => pipelineId === GPTJ_PIPELINE_ID);
}

async function waitForFirst(db: Database, onWait: () => void, signal: AbortSignal | null): Promise<void> {
  for (let round = 0; (await findFirst(db)) === undefined; round++) {
    if (round === 0) onWait();
    signal?.throwIfAborted();
    await sleep(WAIT_MS, undefined, signal === null ? {} : { signal });
  }
}

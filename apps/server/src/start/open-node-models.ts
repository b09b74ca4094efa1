/** The models of a server without an engine: those that the workers on its store have registered. */
import { setTimeout as sleep } from 'node:timers/promises';
import { GPTJ_PIPELINE_ID } from '@gptj-cloud/protocol';
import { createTokenizer, type Tokenizer, type TokenizerData } from '@gptj-cloud/tokenizer';
import { createEngineNodes } from '../runs/nodes/engine-nodes.ts';
import { createNodeEngine } from '../runs/nodes/node-engine.ts';
import { findModelsOfNodes, type ModelOfNodes } from '../runs/nodes/node-model-store.ts';
import { findHolders } from '../runs/nodes/node-prefix-store.ts';
import { signRequest } from '../runs/nodes/node-signature.ts';
import { ensureNodeSecret, findEngineNodes } from '../runs/nodes/node-store.ts';
import type { Database } from '../store/db.ts';
import type { ModelStart, ServedModel } from './open-models.ts';

/** Interval at which a server waits for its first worker. */
const WAIT_MS = 500;

/** Waits until a worker has registered its models, where none ever has. Throws the reason of the signal. */
export async function openNodeModels(
  db: Database,
  { logger, print, signal }: Pick<ModelStart, 'logger' | 'print' | 'signal'>,
): Promise<ServedModel> {
  const models = await waitForModels(db, () => print('Waiting for the first gptj worker on this database'), signal);
  const secret = await ensureNodeSecret(db);
  const nodes = createEngineNodes({
    find: () => findEngineNodes(db),
    findHolders: (labels) => findHolders(db, labels),
    now: () => performance.now(),
    random: Math.random,
  });
  const tokenizers = new Map<TokenizerData, Tokenizer>();
  const [first, ...others] = models.map(({ info, vocabulary }): ServedModel => {
    const tokenizer = tokenizers.get(vocabulary) ?? createTokenizer(vocabulary);
    tokenizers.set(vocabulary, tokenizer);
    const engine = createNodeEngine({
      info,
      nodes,
      sign: (request) => signRequest(secret, request),
      onRefusal: (node, reason) =>
        logger.warn('a worker did not take a generation', { node: node.id, url: node.url, reason }),
    });
    return { engine, tokenizer, vocabulary, isElsewhere: true };
  });
  if (first === undefined) throw new TypeError('expected at least one model, got none');
  return { ...first, others };
}

/** The models, that of the GPT-J pipeline first. */
async function waitForModels(
  db: Database,
  onWait: () => void,
  signal: AbortSignal | null,
): Promise<readonly ModelOfNodes[]> {
  for (let round = 0; ; round++) {
    const found = await findModelsOfNodes(db);
    const first = found.find(({ pipelineId }) => pipelineId === GPTJ_PIPELINE_ID);
    if (first !== undefined) {
      // Two workers may have the same model, one of them as its first.
      const names = new Set([first.info.modelName]);
      const others = found.filter(({ info: { modelName } }) => !names.has(modelName) && names.add(modelName));
      return [first, ...others];
    }
    if (round === 0) onWait();
    signal?.throwIfAborted();
    await sleep(WAIT_MS, undefined, signal === null ? {} : { signal });
  }
}

/**
 * The engine of a node that has none: it sends each generation to a node that has one, and passes on its events. Admission and
 * metering happen here as for an engine of this process.
 *
 * A node that cannot be reached, drains, or breaks off before it has generated anything is replaced by another one. After
 * the first tokens the generation fails with `engine_lost`.
 */
import {
  createEventJoiner,
  type Engine,
  type EngineInfo,
  fromWireError,
  type GenerationEvent,
  type GenerationRequest,
  needOf,
} from '@gptj-cloud/engine';
import { ModelError, type ModelErrorCode } from '@gptj-cloud/model';
import { z } from 'zod';
import { describeUnmetNeed } from '../../generation/unmet-need.ts';
import type { EngineNodes } from './engine-nodes.ts';
import {
  BODY_HASH_HEADER,
  DRAINING,
  FAILED,
  GENERATIONS_PATH,
  hashBody,
  NOT_SERVED,
  OTHER_VERSION,
  readWireEvent,
  writeGeneration,
} from './generation-wire.ts';
import { generationSubject, type NodeRequest, type SignedRequest } from './node-signature.ts';
import type { EngineNode } from './node-store.ts';
import { type NodeStream, openNodeStream } from './node-stream.ts';

export interface NodeEngineDeps {
  /** As the nodes have registered it last; its name stays. */
  readonly info: () => EngineInfo;
  readonly nodes: EngineNodes;
  readonly sign: (request: NodeRequest) => SignedRequest;
  /** A node did not take a generation. */
  readonly onRefusal: (node: EngineNode, reason: string) => void;
}

/** Nodes that are asked for one generation, one after the other. */
const MAX_NODES = 3;

/** What a node says of itself, not of the generation. */
const OF_NODE: readonly ModelErrorCode[] = ['engine_failed', 'engine_interrupted', 'closed', 'model_unavailable'];

export function createNodeEngine({ info, nodes, sign, onRefusal }: NodeEngineDeps): Engine {
  const stop = new AbortController();
  const { modelName } = info();

  const open = async (
    node: EngineNode,
    body: Uint8Array<ArrayBuffer>,
    origin: GenerationRequest['origin'],
    signal: AbortSignal,
  ): Promise<NodeStream | null> => {
    const hash = hashBody(body);
    const reply = await openNodeStream({
      url: node.url,
      node: node.id,
      path: GENERATIONS_PATH,
      headers: { ...origin, 'content-type': 'application/json', [BODY_HASH_HEADER]: hash },
      signed: sign({ node: node.id, subject: generationSubject(hash) }),
      body,
      signal,
    });
    if (reply.type === 'stream') return reply.stream;
    if (signal.aborted) return null;
    // A model that it served at its last report says nothing of its other models.
    if (reply.type === 'unreachable' || reply.status !== NOT_SERVED) nodes.exclude(node);
    onRefusal(node, reply.type === 'unreachable' ? reply.reason : refusalOf(reply.status));
    return null;
  };

  return {
    get info() {
      return info();
    },
    async *generate(request, given): AsyncGenerator<GenerationEvent> {
      const signal = AbortSignal.any([stop.signal, ...(given === undefined ? [] : [given])]);
      const { prefixLabels = [] } = request;
      const need = needOf(request.config, info().config.eosTokenIds);
      const capability = need?.capability ?? null;
      const body = writeGeneration({ model: modelName, request });
      const asked = new Set<string>();
      const reported: Reported = { started: false, generated: false };
      for (let count = 0; count < MAX_NODES; count++) {
        throwIfAborted(signal);
        const taken = await nodes.take({ model: modelName, excluded: asked, capability, prefixLabels });
        if (taken === null) break;
        const { node, leave } = taken;
        asked.add(node.id);
        let stream: NodeStream | null = null;
        try {
          stream = await open(node, body, request.origin, signal);
          throwIfAborted(signal);
          if (stream !== null && (yield* passOn(stream, reported, signal))) return;
        } finally {
          stream?.close();
          leave();
        }
      }
      if (need !== null && nodes.lack(modelName, need.capability)) {
        throw new ModelError('parameters_refused', describeUnmetNeed(need));
      }
      const reason =
        asked.size === 0
          ? `no worker with the model ${modelName} is running, or none that this server reaches`
          : `${asked.size} ${asked.size === 1 ? 'worker' : 'workers'} with the model ${modelName} did not take the generation`;
      throw new ModelError('model_unavailable', reason);
    },
    async close() {
      stop.abort();
    },
  };
}

/** What the caller has been reported of a generation, over all nodes. */
interface Reported {
  started: boolean;
  generated: boolean;
}

/** Pass on the events of one node. False: another node may take the generation. */
async function* passOn(
  stream: NodeStream,
  reported: Reported,
  signal: AbortSignal,
): AsyncGenerator<GenerationEvent, boolean> {
  const joiner = createEventJoiner();
  let hasStarted = false;
  for (;;) {
    const received = await stream.next().catch(() => null);
    throwIfAborted(signal);
    if (received === null) return mayRepeat(reported);
    if (received.event === FAILED) {
      const { code, message } = wireErrorSchema.parse(JSON.parse(received.data));
      if (code === 'aborted' || code === 'closed') return mayRepeat(reported);
      const error = fromWireError({ code: code as ModelErrorCode | null, message });
      if (!hasStarted && OF_NODE.includes(error.code)) return mayRepeat(reported);
      throw error;
    }
    const wire = readWireEvent(received.data);
    const event = wire === null ? null : joiner.join(wire);
    if (event === null) continue;
    hasStarted ||= event.type === 'started';
    if (event.type === 'started' && reported.started) continue;
    reported.started ||= event.type === 'started';
    reported.generated ||= event.type !== 'started';
    yield event;
    if (event.type === 'finished') return true;
  }
}

/** What has been generated cannot be taken back. Throws `engine_lost`. */
function mayRepeat({ generated }: Reported): false {
  if (!generated) return false;
  throw new ModelError('engine_lost', 'the worker that generated the text ended, or the network to it broke');
}

/** Of `toWireError`; a code that this version does not know counts as `engine_failed`. */
const wireErrorSchema = z.object({ code: z.string().nullable(), message: z.string() });

function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new ModelError('aborted', 'the generation was aborted');
}

function refusalOf(status: number): string {
  if (status === OTHER_VERSION) return 'it is of another release: generations between the two differ';
  if (status === NOT_SERVED) return 'it does not serve the model';
  if (status === DRAINING) return 'it ends: it takes no new generations';
  return `expected status 200, got ${status}`;
}

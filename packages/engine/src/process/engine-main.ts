/**
 * The engine's own process: opens one model, runs generations, ends when its parent does.
 * A failed assertion in the native library ends this process and nothing else.
 */
import { CheckpointError } from '@gptj-cloud/checkpoint';
import { ModelError } from '@gptj-cloud/model';
import type { Engine, GenerationEvent } from '../engine.ts';
import { createEngine } from '../in-process-engine.ts';
import { openModel } from '../open-model.ts';
import { type FromEngine, type ToEngine, toWireError } from './messages.ts';

let engine: Engine | null = null;
const running = new Map<number, AbortController>();

/** Events that have not crossed yet. They cross together, since a message costs more than what is in it. */
let round: [id: number, event: GenerationEvent][] = [];
/** When those cross that somebody waits for: with the end of the scheduler's round. */
let soon: NodeJS.Immediate | null = null;
/** When the others cross at the latest. */
let late: { readonly timer: NodeJS.Timeout; readonly at: number } | null = null;

function sendEvent(id: number, event: GenerationEvent, withinMs: number): void {
  round.push([id, event]);
  if (withinMs === 0 || event.type === 'finished') {
    soon ??= setImmediate(sendRound);
    return;
  }
  const at = performance.now() + withinMs;
  if (soon !== null || (late !== null && late.at <= at)) return;
  if (late !== null) clearTimeout(late.timer);
  late = { timer: setTimeout(sendRound, withinMs), at };
}

function sendRound(): void {
  if (soon !== null) clearImmediate(soon);
  if (late !== null) clearTimeout(late.timer);
  soon = null;
  late = null;
  if (round.length === 0) return;
  send({ kind: 'events', events: round });
  round = [];
}

function send(message: FromEngine): void {
  // A parent that is gone reads nothing; 'disconnect' ends this process.
  if (process.connected) process.send?.(message, () => {});
}

async function open(message: Extract<ToEngine, { kind: 'open' }>): Promise<void> {
  try {
    const onWarning = (text: string): void => send({ kind: 'warning', message: text });
    engine = createEngine(await openModel(message.options), { onWarning });
    send({ kind: 'ready', info: engine.info });
  } catch (error) {
    const typed = error instanceof CheckpointError ? new ModelError('model_file_invalid', error.message) : error;
    send({ kind: 'unable', error: toWireError(typed) });
  }
}

async function generate({ id, request }: Extract<ToEngine, { kind: 'generate' }>): Promise<void> {
  const abort = new AbortController();
  running.set(id, abort);
  try {
    if (engine === null) throw new ModelError('closed', 'the engine is not open');
    const { maxEventDelayMs = 0 } = request;
    for await (const event of engine.generate(request, abort.signal)) sendEvent(id, event, maxEventDelayMs);
  } catch (error) {
    sendRound();
    send({ kind: 'failed', id, error: toWireError(error) });
  } finally {
    running.delete(id);
  }
}

async function close(): Promise<void> {
  await engine?.close();
  process.exit(0);
}

process.on('message', (message: ToEngine) => {
  switch (message.kind) {
    case 'open':
      void open(message);
      break;
    case 'generate':
      void generate(message);
      break;
    case 'cancel':
      running.get(message.id)?.abort();
      break;
    case 'stats':
      void engine?.stats?.().then((stats) => send({ kind: 'stats', id: message.id, stats }));
      break;
    case 'close':
      void close();
      break;
    default:
      message satisfies never;
  }
});
process.on('disconnect', () => process.exit(0));
// Ctrl-C in a terminal reaches the whole process group: the parent decides when this process ends.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});

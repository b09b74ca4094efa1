/**
 * The engine's process: opens one model, runs generations, and exits when its parent does. A failed assertion in the
 * native library ends this process alone. A thread beside the main thread reports what the main thread does, and ends the
 * process when its parent has gone, also while the main thread is busy.
 *
 * States: started → (`open`) loading → ready → (`close`, or the parent disconnects) exited. Events of generations are
 * collected in `pending` and sent in one message: at the end of the scheduler's iteration, or after the delay that every
 * pending event's request allows. The end of a generation is never delayed.
 */
import { CheckpointError } from '@gptj-cloud/checkpoint';
import { ModelError } from '@gptj-cloud/model';
import type { Engine, GenerationEvent, GenerationRequest } from '../engine.ts';
import { createEngine } from '../in-process-engine.ts';
import type { OpenModel, OpenModelListener, OpenModelOptions } from '../open-model.ts';
import { inMessages, toWireEvents, type WireEvent } from './event-parts.ts';
import { createConfigUnpacker } from './large-values.ts';
import { type FromEngine, type ToEngine, toWireError } from './messages.ts';
import { watchMainThread } from './watch-main-thread.ts';

let engine: Engine | null = null;
/** The ids of requests, for the watcher. */
const ids = new WeakMap<GenerationRequest, number>();
const running = new Map<number, AbortController>();
const unpacker = createConfigUnpacker();

/** Events that are not sent yet. One message carries many: a message costs more than a short event. */
let pending: [id: number, event: WireEvent][] = [];
/** Set when `pending` is to be sent at the end of the scheduler's iteration. */
let immediate: NodeJS.Immediate | null = null;
/** Set when `pending` may wait, until `at` on the clock of `performance`. */
let delayed: { readonly timer: NodeJS.Timeout; readonly at: number } | null = null;

function sendEvent(id: number, event: GenerationEvent, maxDelayMs: number): void {
  for (const part of toWireEvents(event)) pending.push([id, part]);
  if (maxDelayMs === 0 || event.type === 'finished') {
    immediate ??= setImmediate(sendPending);
    return;
  }
  const at = performance.now() + maxDelayMs;
  if (immediate !== null || (delayed !== null && delayed.at <= at)) return;
  if (delayed !== null) clearTimeout(delayed.timer);
  delayed = { timer: setTimeout(sendPending, maxDelayMs), at };
}

function sendPending(): void {
  if (immediate !== null) clearImmediate(immediate);
  if (delayed !== null) clearTimeout(delayed.timer);
  immediate = null;
  delayed = null;
  if (pending.length === 0) return;
  for (const events of inMessages(pending)) send({ kind: 'events', events });
  pending = [];
}

function send(message: FromEngine): void {
  // When the parent has gone, 'disconnect' ends this process.
  if (process.connected) process.send?.(message, () => {});
}

type Open = (options: OpenModelOptions, listener: OpenModelListener) => Promise<OpenModel>;

/** Loading blocks the main thread, and a message costs a system call: one for each hundredth suffices. */
const PROGRESS_STEPS = 100;

async function open(message: Extract<ToEngine, { kind: 'open' }>, openModel: Open): Promise<void> {
  const monitor = watchMainThread((request) => ids.get(request) ?? null);
  try {
    const onWarning = (text: string): void => send({ kind: 'warning', message: text });
    let sent = 0;
    const opened = await openModel(message.options, {
      onMemory: (plan) => send({ kind: 'memory', plan }),
      onProgress(share) {
        const step = Math.floor(share * PROGRESS_STEPS);
        if (step > sent) send({ kind: 'progress', share });
        sent = Math.max(sent, step);
      },
    });
    engine = createEngine(opened, { onWarning, monitor });
    send({ kind: 'ready', info: engine.info });
  } catch (error) {
    const typed = error instanceof CheckpointError ? new ModelError('model_file_invalid', error.message) : error;
    send({ kind: 'unable', error: toWireError(typed) });
  }
}

async function generate({ id, request: fields, config }: Extract<ToEngine, { kind: 'generate' }>): Promise<void> {
  const abort = new AbortController();
  running.set(id, abort);
  try {
    const request: GenerationRequest = { ...fields, config: unpacker.unpack(config) };
    ids.set(request, id);
    if (engine === null) throw new ModelError('closed', 'the engine is not open');
    const { maxEventDelayMs = 0 } = request;
    for await (const event of engine.generate(request, abort.signal)) sendEvent(id, event, maxEventDelayMs);
  } catch (error) {
    sendPending();
    send({ kind: 'failed', id, error: toWireError(error) });
  } finally {
    running.delete(id);
  }
}

async function setAdapters({ id, files }: Extract<ToEngine, { kind: 'adapters' }>): Promise<void> {
  try {
    if (engine === null) throw new ModelError('closed', 'the engine is not open');
    await engine.setAdapters?.(files);
    send({ kind: 'info', id, info: engine.info });
  } catch (error) {
    send({ kind: 'refused', id, error: toWireError(error) });
  }
}

async function close(): Promise<void> {
  await engine?.close();
  process.exit(0);
}

/** Serve the messages of the parent, with models that `openModel` opens, until the parent ends this process. */
export function serveEngine(openModel: Open): void {
  process.on('message', (message: ToEngine) => {
    switch (message.kind) {
      case 'open':
        void open(message, openModel);
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
      case 'adapters':
        void setAdapters(message);
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
}

/**
 * The embedded store from the side of the server: a thread that is opened, asked and closed, and opened again when
 * PostgreSQL gave up in it or did not answer in time.
 *
 * States: **open** → (`died`, or no answer in time) → **down**, where connections are refused → opened again, with growing
 * pauses, until that succeeds → **open**; `close` → **closed** from either.
 */
import { Worker } from 'node:worker_threads';
import { StoreError } from '../store-error.ts';
import type { FromWorker, ToWorker, WorkerTask } from './worker-messages.ts';
import type { PacketService } from './worker-socket.ts';

export interface EmbeddedThreadOptions extends WorkerTask {
  /** Longest time of one packet; then the thread is ended and the store opened again. */
  readonly packetTimeoutMs: number;
  readonly onDiskChange: (isFull: boolean) => void;
  /** PostgreSQL gave up, did not answer, or could not be opened again. */
  readonly onDeath: (reason: string, opensAgain: boolean) => void;
  readonly onReopen: () => void;
}

interface Waiting {
  readonly resolve: (answer: Uint8Array) => void;
  readonly reject: (error: Error) => void;
}

const MIN_PAUSE_MS = 250;
const MAX_PAUSE_MS = 5_000;
/** SQLSTATE of a database that is starting. */
const STARTING = '57P03';
const DISK_FULL = '53100';

export class EmbeddedThread implements PacketService {
  readonly #options: EmbeddedThreadOptions;
  #worker: Worker | null = null;
  /** Opening the store again. */
  #starting: Worker | null = null;
  /** Packets without an answer, oldest first: the thread answers in order. */
  #packets: Waiting[] = [];
  readonly #calls = new Map<
    number,
    { readonly resolve: (value: unknown) => void; readonly reject: (error: Error) => void }
  >();
  #lastCall = 0;
  #timer: NodeJS.Timeout | null = null;
  #reopening: NodeJS.Timeout | null = null;
  #closing: Promise<void> | null = null;
  #isFull = false;
  #downReason = 'it is not open';
  #closed: () => void = () => {};

  private constructor(options: EmbeddedThreadOptions) {
    this.#options = options;
  }

  /** Throws `StoreError`: the folder cannot be opened, or this version cannot migrate the data. */
  static async open(options: EmbeddedThreadOptions): Promise<EmbeddedThread> {
    const thread = new EmbeddedThread(options);
    await thread.#start(options.tar);
    return thread;
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  async connect(): Promise<void> {
    this.#post({ type: 'connect' });
  }

  ask(packet: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      try {
        this.#post(packet);
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
        return;
      }
      this.#packets.push({ resolve, reject });
      this.#watch();
    });
  }

  async beginBackup(): Promise<void> {
    await this.#call((id) => ({ type: 'backup', id, action: 'start' }));
  }

  async endBackup(): Promise<string> {
    return String(await this.#call((id) => ({ type: 'backup', id, action: 'stop' })));
  }

  /** The whole store as a gzipped tar, in memory. */
  async dump(): Promise<Uint8Array> {
    const bytes = await this.#call((id) => ({ type: 'dump', id }));
    return bytes instanceof Uint8Array ? bytes : new Uint8Array();
  }

  /** Idempotent. Ends the thread also when PostgreSQL hangs in it. */
  close(timeoutMs = 10_000): Promise<void> {
    this.#closing ??= this.#close(timeoutMs);
    return this.#closing;
  }

  async #close(timeoutMs: number): Promise<void> {
    if (this.#reopening !== null) clearTimeout(this.#reopening);
    // The folder must not be open when its lock is given free.
    await this.#starting?.terminate();
    const worker = this.#worker;
    if (worker === null) return;
    const closed = new Promise<void>((resolve) => {
      this.#closed = resolve;
    });
    worker.postMessage({ type: 'close' } satisfies ToWorker);
    const timer = setTimeout(() => this.#closed(), timeoutMs);
    await closed;
    clearTimeout(timer);
    this.#worker = null;
    await worker.terminate();
    this.#rejectAll('the server is stopping', '57P01');
  }

  async #start(tar: WorkerTask['tar']): Promise<void> {
    const { folder, keepsReserve } = this.#options;
    const worker = new Worker(new URL('./embedded-worker.js', import.meta.url), {
      workerData: { folder, tar, keepsReserve } satisfies WorkerTask,
      // Part of a larger buffer would take what others use with it.
      transferList: tar === null || tar.byteLength < tar.buffer.byteLength ? [] : [tar.buffer],
    });
    this.#starting = worker;
    const opened = new Promise<void>((resolve, reject) => {
      worker.once('error', reject);
      worker.once('exit', () => reject(new StoreError('store_unusable', 'the thread of the embedded store ended')));
      worker.once('message', (message: FromWorker) => {
        if (message instanceof Uint8Array) return;
        if (message.type === 'opened') resolve();
        else if (message.type === 'refused') reject(new StoreError(message.code, message.message));
        else if (message.type === 'died') reject(new StoreError('store_unusable', message.reason));
      });
    });
    try {
      await opened;
    } catch (error) {
      await worker.terminate();
      throw error;
    } finally {
      this.#starting = null;
    }
    worker.removeAllListeners('error');
    worker.removeAllListeners('exit');
    worker.on('message', (message: FromWorker) => this.#receive(message));
    worker.on('error', (error) => this.#die(worker, error instanceof Error ? error.message : String(error), false));
    worker.on('exit', () => this.#die(worker, 'its thread ended', false));
    this.#worker = worker;
    this.#isFull = false;
  }

  #post(message: ToWorker): void {
    if (this.#worker === null || this.#closing !== null) {
      throw Object.assign(new Error(`the embedded store is unavailable: ${this.#downReason}`), {
        code: this.#isFull ? DISK_FULL : STARTING,
      });
    }
    if (message instanceof Uint8Array) this.#worker.postMessage(message, [message.buffer]);
    else this.#worker.postMessage(message);
  }

  #call(message: (id: number) => ToWorker): Promise<unknown> {
    const id = ++this.#lastCall;
    return new Promise((resolve, reject) => {
      try {
        this.#post(message(id));
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
        return;
      }
      this.#calls.set(id, { resolve, reject });
    });
  }

  #receive(message: FromWorker): void {
    if (message instanceof Uint8Array) {
      this.#packets.shift()?.resolve(message);
      this.#watch();
      return;
    }
    switch (message.type) {
      case 'backup': {
        const call = this.#calls.get(message.id);
        this.#calls.delete(message.id);
        if (message.error === null) call?.resolve(message.label);
        else call?.reject(new Error(message.error));
        return;
      }
      case 'dumped':
        this.#calls.get(message.id)?.resolve(message.bytes);
        this.#calls.delete(message.id);
        return;
      case 'disk':
        this.#isFull = message.isFull;
        this.#options.onDiskChange(message.isFull);
        return;
      case 'died':
        if (this.#worker !== null) this.#die(this.#worker, message.reason, message.isFull);
        return;
      case 'closed':
        this.#closed();
        return;
      case 'opened':
      case 'refused':
        return;
      default:
        message satisfies never;
    }
  }

  /** Bound the time of the oldest packet. */
  #watch(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const worker = this.#worker;
    if (worker === null || this.#packets.length === 0) return;
    const { packetTimeoutMs } = this.#options;
    this.#timer = setTimeout(() => this.#die(worker, `no answer within ${packetTimeoutMs} ms`, false), packetTimeoutMs);
    this.#timer.unref();
  }

  #die(worker: Worker, reason: string, isFull: boolean): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    this.#downReason = reason;
    this.#isFull = isFull;
    if (this.#timer !== null) clearTimeout(this.#timer);
    worker.removeAllListeners();
    // A thread that ends with an error must not end the process.
    worker.on('error', () => {});
    this.#closed();
    this.#rejectAll(`the embedded store ended: ${reason}`, isFull ? DISK_FULL : '57P02');
    this.#options.onDeath(reason, this.#closing === null);
    void worker.terminate().then(() => this.#reopen(MIN_PAUSE_MS));
  }

  #reopen(pauseMs: number): void {
    if (this.#closing !== null) return;
    this.#reopening = setTimeout(() => {
      // The dump, if any, was restored by the first start.
      this.#start(null).then(
        () => {
          if (this.#closing === null) this.#options.onReopen();
          else void this.#worker?.terminate();
        },
        (error: unknown) => {
          // `close` has ended the thread.
          if (this.#closing !== null) return;
          this.#downReason = error instanceof Error ? error.message : String(error);
          this.#isFull = /no space is left/.test(this.#downReason);
          this.#options.onDeath(this.#downReason, true);
          this.#reopen(Math.min(2 * pauseMs, MAX_PAUSE_MS));
        },
      );
    }, pauseMs);
    this.#reopening.unref();
  }

  #rejectAll(message: string, code: string): void {
    const failed = [...this.#packets, ...this.#calls.values()];
    this.#packets = [];
    this.#calls.clear();
    for (const { reject } of failed) reject(Object.assign(new Error(message), { code }));
  }
}

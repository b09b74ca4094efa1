/** Tasks of the page's main thread while a stream fills the context; `scripts/trials/long-tasks.mjs` calls it. */
import { writeFile } from 'node:fs/promises';
import { deflateRawSync } from 'node:zlib';
import { OWNER, openDashboard } from './dashboard.ts';

const PROMPT = 'Once upon a time';
/** The stages of a frame, none within another, and collections of garbage. */
const STAGES = new Set([
  'FunctionCall',
  'Layout',
  'UpdateLayoutTree',
  'PrePaint',
  'Paint',
  'Layerize',
  'Commit',
  'MinorGC',
  'MajorGC',
]);
const MAX_WAIT_MS = 600_000;

export interface StreamChoice {
  /** `tokens` has the heat map. */
  readonly view: 'write' | 'tokens';
  readonly tokens: number;
  readonly width: number;
  /** File for the trace, to be opened in Chromium's performance panel. */
  readonly trace?: string;
}

export interface PageTask {
  /** Since the first task. */
  readonly atMs: number;
  readonly wallMs: number;
  /** Less than the wall time where other threads had the core. */
  readonly processorMs: number;
  /** What it did: `Layout 31 ms`. */
  readonly stages: readonly string[];
}

export interface StreamTasks {
  readonly seconds: number;
  /** The longest first. */
  readonly tasks: readonly PageTask[];
  /** Processor time of the main thread for each frame that it made, in each quarter of the stream. */
  readonly frameMs: readonly number[];
}

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur?: number;
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/** Stream a text into the playground, and trace the page. */
export async function traceStream({ view, tokens, width, trace }: StreamChoice): Promise<StreamTasks> {
  const dashboard = await openDashboard();
  try {
    const parameters = { max_new_tokens: tokens, min_new_tokens: tokens, do_sample: true, seed: 7 };
    const shared = deflateRawSync(JSON.stringify([1, [['t', PROMPT]], parameters])).toString('base64url');
    const page = await dashboard.open(`/playground?view=${view}#s=${shared}`, { as: OWNER, width });
    page.setDefaultTimeout(MAX_WAIT_MS);
    await page.getByText(/≤ [\d,]+ tokens/).waitFor();
    const browser = page.context().browser();
    await browser?.startTracing(page, { categories: ['devtools.timeline', 'disabled-by-default-devtools.timeline'] });
    const started = performance.now();
    await page.keyboard.press('Control+Enter');
    await page
      .locator('.playground-note')
      .getByText(/^ended by length$/)
      .waitFor();
    const seconds = (performance.now() - started) / 1000;
    const json = (await browser?.stopTracing()) ?? Buffer.from('{}');
    if (trace !== undefined) await writeFile(trace, json);
    const { traceEvents = [] }: { traceEvents?: readonly TraceEvent[] } = JSON.parse(json.toString());
    return { seconds, ...tasksOf(traceEvents) };
  } finally {
    await dashboard.close();
  }
}

function tasksOf(events: readonly TraceEvent[]): Omit<StreamTasks, 'seconds'> {
  const own = ofPage(events);
  const tasks = own.filter(({ name }) => name === 'RunTask').sort((a, b) => a.ts - b.ts);
  const start = tasks[0]?.ts ?? 0;
  const quarterMs = ((tasks.at(-1)?.ts ?? 0) - start + 1) / 4;
  const quarterOf = ({ ts }: TraceEvent): number => Math.floor((ts - start) / quarterMs);
  const frameMs = [0, 1, 2, 3].map((quarter) => {
    const inside = tasks.filter((task) => quarterOf(task) === quarter);
    const frames = own.filter((event) => event.name === 'Commit' && quarterOf(event) === quarter).length;
    return inside.reduce((sum, { tdur = 0 }) => sum + tdur / 1000, 0) / Math.max(1, frames);
  });
  const described = tasks.map((task) => ({
    atMs: (task.ts - start) / 1000,
    wallMs: (task.dur ?? 0) / 1000,
    processorMs: (task.tdur ?? 0) / 1000,
    event: task,
  }));
  return {
    frameMs,
    tasks: described
      .sort((a, b) => b.wallMs - a.wallMs)
      .slice(0, 100)
      .map(({ event, ...times }) => ({ ...times, stages: stagesOf(event, own) })),
  };
}

/** What ran on the main thread of the page, which has more tasks than that of any other renderer. */
function ofPage(events: readonly TraceEvent[]): readonly TraceEvent[] {
  return events
    .filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain')
    .map(({ pid, tid }) => events.filter((each) => each.ph === 'X' && each.pid === pid && each.tid === tid))
    .reduce((most, each) => (each.length > most.length ? each : most), []);
}

function stagesOf(task: TraceEvent, own: readonly TraceEvent[]): readonly string[] {
  const sums = new Map<string, number>();
  for (const { name, ts, dur = 0 } of own) {
    if (!STAGES.has(name) || ts < task.ts || ts + dur > task.ts + (task.dur ?? 0)) continue;
    sums.set(name, (sums.get(name) ?? 0) + dur / 1000);
  }
  return [...sums]
    .sort((a, b) => b[1] - a[1])
    .slice(0, 4)
    .map(([name, ms]) => `${name} ${ms.toFixed(1)} ms`);
}

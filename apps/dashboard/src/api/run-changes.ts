/** The changes of the project's runs: one stream for the whole page, open while a part of it listens and the tab is visible. */
import type { PipelineCloud, RunChange } from '@gptj-cloud/sdk';
import { useEffect, useEffectEvent, useSyncExternalStore } from 'react';
import { cloud } from './cloud.ts';

interface Stream {
  readonly client: PipelineCloud;
  readonly listeners: Set<(change: RunChange) => void>;
  /** Null while the tab is hidden: browsers allow few connections to one host, over all tabs. */
  ending: AbortController | null;
}

let stream: Stream | null = null;
let isLive = false;
const watchers = new Set<() => void>();

/**
 * Call `onChange` for every change. `resync` comes first, and whenever changes were missed. Returns whether the stream is
 * connected.
 */
export function useRunChanges(onChange: (change: RunChange) => void): boolean {
  const listener = useEffectEvent(onChange);
  const client = cloud();
  useEffect(() => listen(client, (change) => listener(change)), [client]);
  return useSyncExternalStore(watch, () => isLive);
}

function listen(client: PipelineCloud, listener: (change: RunChange) => void): () => void {
  if (stream?.client !== client) {
    stream?.ending?.abort();
    stream = { client, listeners: new Set(), ending: null };
  }
  const joined = stream;
  joined.listeners.add(listener);
  if (joined.ending === null) connect(joined);
  // The stream has sent its first `resync` already.
  else if (isLive) listener({ type: 'resync' });
  return () => {
    joined.listeners.delete(listener);
    if (joined.listeners.size === 0) disconnect(joined);
  };
}

function connect(opened: Stream): void {
  if (document.hidden) return;
  const ending = new AbortController();
  opened.ending = ending;
  follow(opened, ending.signal).catch(() => {
    // A refusal: the requests of the page show it. An abort: another stream may be open.
    if (opened.ending === ending) disconnect(opened);
  });
}

async function follow({ client, listeners }: Stream, signal: AbortSignal): Promise<void> {
  const onConnection = (isConnected: boolean): void => {
    if (!signal.aborted) setLive(isConnected);
  };
  for await (const change of client.runs.changes({ signal, onConnection })) {
    if (signal.aborted) return;
    for (const listener of listeners) listener(change);
  }
}

function disconnect(opened: Stream): void {
  opened.ending?.abort();
  opened.ending = null;
  if (opened === stream) setLive(false);
}

document.addEventListener('visibilitychange', () => {
  if (stream === null || stream.listeners.size === 0) return;
  if (document.hidden) disconnect(stream);
  else if (stream.ending === null) connect(stream);
});

function setLive(next: boolean): void {
  isLive = next;
  for (const watcher of watchers) watcher();
}

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

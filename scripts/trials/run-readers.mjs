// Clients that make asynchronous runs and read their events to the end, through whichever server answers.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventBlocks } from './event-blocks.mjs';

/** The server writes a comment every 15 s. */
const SILENCE_MS = 20_000;

/**
 * The `data` of token events since the last restart, and what the reader saw. One of `urls` accepts the run, those of `readers` have its
 * events. Rejects when the run does not end in time.
 */
export async function makeRun({ urls, readers = urls, headers, prompt, parameters = {}, limitMs }) {
  const deadline = Date.now() + limitMs;
  const key = randomUUID();
  const seen = { id: null, tokens: [], runEvents: 0, reconnects: 0, restarts: 0, state: null };
  const anyOf = (list) => list[Math.floor(Math.random() * list.length)];
  const body = JSON.stringify({
    pipeline_id: 'gpt-j:latest',
    data: [prompt, { response_length: 100, ...parameters }],
    async_run: true,
  });
  while (seen.id === null) {
    if (Date.now() > deadline) throw new Error(`no server accepted the run ${key}: ${seen.refusal}`);
    try {
      // The reply may be lost after the run was stored: the key makes the next request find it.
      const reply = await fetch(`${anyOf(urls)}/v2/runs`, {
        method: 'POST',
        headers: { ...headers, 'idempotency-key': key },
        body,
        signal: AbortSignal.timeout(8_000),
      });
      const text = await reply.text();
      if (reply.ok) seen.id = JSON.parse(text).id;
      else seen.refusal = `${reply.status} ${text.slice(0, 200)}`;
    } catch (error) {
      seen.refusal = String(error);
    }
    if (seen.id === null) await sleep(200);
  }
  let lastId = null;
  while (seen.state !== 'complete' && seen.state !== 'failed') {
    if (Date.now() > deadline)
      throw new Error(
        `run ${seen.id} did not end for its reader: ${JSON.stringify({ ...seen, tokens: seen.tokens.length })}`,
      );
    try {
      for await (const event of readEvents(`${anyOf(readers)}/v2/runs/${seen.id}/events`, headers, lastId)) {
        lastId = event.id ?? lastId;
        if (event.type === 'token') seen.tokens.push(event.data);
        else if (event.type === 'run') {
          const { run_state: state } = JSON.parse(event.data);
          seen.runEvents++;
          if (state === 'complete' || state === 'failed') seen.state = state;
          else if (seen.tokens.length > 0) {
            seen.tokens = [];
            seen.restarts++;
          }
        }
      }
    } catch {
      // Another server goes on.
    }
    if (seen.state === null) {
      seen.reconnects++;
      await sleep(100);
    }
  }
  return seen;
}

async function* readEvents(url, headers, lastId) {
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(), SILENCE_MS);
  try {
    const reply = await fetch(url, {
      headers: { ...headers, ...(lastId === null ? {} : { 'last-event-id': lastId }) },
      signal: silence.signal,
    });
    if (!reply.ok) throw new Error(`status ${reply.status}`);
    for await (const { id, event: type, data } of eventBlocks(reply.body, () => timer.refresh())) {
      if (data !== undefined) yield { id, type, data };
    }
  } finally {
    clearTimeout(timer);
    silence.abort();
  }
}

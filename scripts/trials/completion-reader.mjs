// A client that streams a direct completion, and says what it saw of it.
import { eventBlocks } from './event-blocks.mjs';

/** The server writes a comment every 15 s. */
const SILENCE_MS = 40_000;

/**
 * `end`: `complete` after the last event of the API; `error` for a reply or an event that says what failed; `cut` for a stream that
 * ends without either.
 */
export async function streamCompletion({ url, headers, prompt, maxTokens }) {
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(), SILENCE_MS);
  let text = '';
  try {
    const reply = await fetch(`${url}/v1/completions`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ prompt, max_tokens: maxTokens, temperature: 0, stream: true }),
      signal: silence.signal,
    });
    if (!reply.ok) return { text, end: 'error', reason: `${reply.status} ${(await reply.text()).slice(0, 300)}` };
    for await (const { data } of eventBlocks(reply.body, () => timer.refresh())) {
      if (data === undefined) continue;
      if (data === '[DONE]') return { text, end: 'complete', reason: null };
      const event = JSON.parse(data);
      if (event.error !== undefined) return { text, end: 'error', reason: JSON.stringify(event.error) };
      text += event.choices?.[0]?.text ?? '';
    }
    return { text, end: 'cut', reason: 'the stream ended' };
  } catch (error) {
    return { text, end: 'cut', reason: String(error.cause ?? error) };
  } finally {
    clearTimeout(timer);
  }
}

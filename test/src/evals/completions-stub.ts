/** A completions server over a model of this process that can answer wrongly in the ways that harnesses have met. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { OpenModel } from '@gptj-cloud/engine';
import { tokenText } from '@gptj-cloud/tokenizer';

export type Fault =
  | 'none'
  | 'shifted-left'
  | 'shifted-right'
  | 'wrong-token'
  | 'best-token'
  | 'top-1'
  | 'top-1-certain'
  | 'nulls';

export interface CompletionsStub {
  readonly url: string;
  /** The bodies of all requests. */
  readonly bodies: readonly Record<string, unknown>[];
  close(): Promise<void>;
}

interface Scored {
  readonly token: number;
  readonly best: number;
  readonly logprob: number;
  readonly bestLogprob: number;
  /** Of the token with the next id. */
  readonly neighbour: number;
  readonly top: readonly number[];
  readonly topLogprobs: readonly number[];
}

export async function startCompletionsStub(opened: OpenModel, fault: Fault): Promise<CompletionsStub> {
  const bodies: Record<string, unknown>[] = [];
  // One evaluation at a time.
  let turn: Promise<unknown> = Promise.resolve();
  const server = createServer((request, response) => {
    const answered = turn.then(async () => {
      const body = Object(await json(request)) as Record<string, unknown>;
      bodies.push(body);
      const prompts = body.prompt as readonly (readonly number[])[];
      const choices: unknown[] = [];
      for (const [index, prompt] of prompts.entries())
        choices.push(await complete(opened, prompt, { body, fault, index }));
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ choices }));
    });
    turn = answered.catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1/completions`,
    bodies,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

interface Completing {
  readonly body: Record<string, unknown>;
  readonly fault: Fault;
  readonly index: number;
}

async function complete(
  opened: OpenModel,
  prompt: readonly number[],
  { body, fault, index }: Completing,
): Promise<unknown> {
  const count = Number(body.logprobs);
  const scored = await scorePrompt(opened, prompt, count);
  const kept = body.echo === true ? scored : scored.slice(-1);
  const text = (token: number): string => tokenText(opened.tokenizer, token);
  const logprobs = kept.map((each) => each && withFault(each, fault));
  if (fault === 'shifted-left' && kept.length > 1) logprobs.push(logprobs.shift() ?? null);
  if (fault === 'shifted-right' && kept.length > 1) logprobs.unshift(logprobs.pop() ?? null);
  return {
    index,
    text: '',
    finish_reason: 'length',
    logprobs: {
      tokens: kept.map((each, at) => text(each?.token ?? prompt[at]!)),
      token_logprobs: logprobs,
      top_logprobs: kept.map(
        (each) => each && Object.fromEntries(each.top.map((token, at) => [text(token), each.topLogprobs[at]])),
      ),
    },
  };
}

function withFault({ token, best, logprob, bestLogprob, neighbour }: Scored, fault: Fault): number | null {
  switch (fault) {
    case 'wrong-token':
      return neighbour;
    case 'best-token':
      return bestLogprob;
    case 'top-1':
      return token === best ? logprob : -100;
    case 'top-1-certain':
      return token === best ? 0 : -9999;
    case 'nulls':
      return token === best ? logprob : null;
    default:
      return logprob;
  }
}

/** Null for the first token, then every token of the prompt and the greedy one after it. */
async function scorePrompt(
  { model }: OpenModel,
  prompt: readonly number[],
  count: number,
): Promise<readonly (Scored | null)[]> {
  const sequence = model.open();
  try {
    const [result] = await model.evaluate([{ sequence, tokens: prompt, scored: 'all' }]);
    const rows = result!.logits.map((logits, at): Scored => {
      const order = Array.from(logits, (_, token) => token).sort((a, b) => logits[b]! - logits[a]!);
      const best = order[0]!;
      const sum = logits.reduce((total, logit) => total + Math.exp(logit - logits[best]!), 0);
      const logprobOf = (token: number): number => logits[token]! - logits[best]! - Math.log(sum);
      const token = prompt[at + 1] ?? best;
      const top = order.slice(0, count);
      return {
        token,
        best,
        logprob: logprobOf(token),
        bestLogprob: logprobOf(best),
        neighbour: logprobOf((token + 1) % logits.length),
        top,
        topLogprobs: top.map(logprobOf),
      };
    });
    return [null, ...rows];
  } finally {
    model.release(sequence);
  }
}

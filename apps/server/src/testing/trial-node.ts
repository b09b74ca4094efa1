/**
 * A server or worker process for the trials of faults: its text follows from its prompt, a letter every few milliseconds, and its leases
 * are short. Settings come from the environment, as those of `gptj serve`.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { serve } from '../main.ts';
import { BYTE_VOCABULARY } from './byte-vocabulary.ts';
import { byteTokenizer } from './fake-model.ts';
import { createScriptedEngine } from './scripted-engine.ts';

const TOKEN_MS = Number(process.env.TRIAL_TOKEN_MS ?? 15);
const LETTERS = 100;
const LEASE_MS = 3_000;

const engine = createScriptedEngine(({ prompt }) => {
  const seed = prompt.reduce((sum, token) => (sum * 31 + token) % 9_973, 7);
  return {
    sequences: [Array.from({ length: LETTERS }, (_, at) => 97 + ((seed + at * (7 + (seed % 12))) % 26))],
    pause: () => sleep(TOKEN_MS),
  };
});
const server = await serve(
  {},
  {
    role: process.env.TRIAL_ROLE === 'worker' ? 'worker' : 'server',
    // The vocabulary is for servers without an engine.
    openModel: async () => ({ engine, tokenizer: byteTokenizer, vocabulary: BYTE_VOCABULARY }),
    runTiming: { leaseMs: LEASE_MS },
  },
);
process.once('SIGTERM', () => void server.close().then(() => process.exit(0)));

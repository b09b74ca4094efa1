// Start a run and wait for its end later. Ctrl-C cancels it.
import { PipelineCloud, QuotaExceededError, RateLimitedError, textsOf } from '@gptj-cloud/sdk';

const api = new PipelineCloud();
const leaving = new AbortController();
process.once('SIGINT', () => leaving.abort());

try {
  const started = await api.startRun('gpt-j:latest', ['Once upon a time', { response_length: 16 }]);
  const run = await api.waitForRun(started, { signal: leaving.signal, cancelOnAbort: true, waitMs: 300_000 });
  console.log(textsOf(run)[0], run.usage);
} catch (error) {
  if (error instanceof RateLimitedError) console.error(`busy; try again in ${error.retryAfterMs ?? 1000} ms`);
  else if (error instanceof QuotaExceededError) console.error(`no tokens left until ${error.resetsAt?.toISOString()}`);
  else throw error;
  process.exitCode = 1;
}

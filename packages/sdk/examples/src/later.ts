// Start a run and wait for its end later. Ctrl-C cancels it.
import { PipelineCloud, QuotaExceededError, RateLimitedError } from '@gptj-cloud/sdk';

const api = new PipelineCloud({
  token: process.env.PIPELINE_API_TOKEN ?? '',
  url: process.env.PIPELINE_API_URL ?? 'http://127.0.0.1:8080',
});
const leaving = new AbortController();
process.once('SIGINT', () => leaving.abort());

try {
  const { id } = await api.startRun('pipeline_d7502b78863744c495d7d22f321cf7ff', [
    'Once upon a time',
    { response_length: 16 },
  ]);
  leaving.signal.addEventListener('abort', () => void api.cancelRun(id));
  const run = await api.waitForRun(id, { signal: leaving.signal, waitMs: 300_000 });
  console.log(run.runState, run.resultPreview, run.usage);
} catch (error) {
  if (error instanceof RateLimitedError) console.error(`busy; try again in ${error.retryAfterMs ?? 1000} ms`);
  else if (error instanceof QuotaExceededError) console.error(`no tokens left until ${error.resetsAt?.toISOString()}`);
  else throw error;
  process.exitCode = 1;
}

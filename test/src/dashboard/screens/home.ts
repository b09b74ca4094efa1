import type { Route } from 'playwright-core';
import { defineScreens } from '../screen.ts';
import { SEVERAL_MODELS } from '../several-models.ts';

const PIPELINE = 'pipeline_d7502b78863744c495d7d22f321cf7ff';
const LONG = 'The king who had three daughters and a fox for a counsellor '.repeat(6);

defineScreens('home', [
  {
    state: 'list',
    path: '/',
    seed: async (api) => {
      await api.runPipeline(PIPELINE, ['Once upon a time', { response_length: 16, seed: 7 }]);
      await api.runPipeline(PIPELINE, ['حكاية قصيرة 🦊', { response_length: 8, seed: 7 }]);
      await api.runPipeline(PIPELINE, [LONG, { response_length: 8, seed: 7 }]);
      return undefined;
    },
  },
  {
    state: 'models',
    path: '/',
    arrange: async (page) => {
      await page.route(/\/v2\/engine$/, async (route) => {
        const engine = await (await route.fetch()).json();
        const others = SEVERAL_MODELS.map((each) => ({
          ...each,
          quantisation: 'Q4_0',
          since: 1,
          planned_bytes: 4e9,
          running: 0,
          waiting: 0,
        }));
        await route.fulfill({ json: { ...engine, models: [engine.models[0], ...others] } });
      });
    },
  },
  { state: 'loading', path: '/', isLoading: true, arrange: (page) => page.route('**/v2/**', hold) },
  {
    state: 'error',
    path: '/',
    arrange: async (page) => {
      await page.route(/\/v2\/engine$/, async (route) => {
        const engine = await (await route.fetch()).json();
        const lost = { state: 'unavailable', reason: 'the engine process ended', active: null, waiting: null };
        await route.fulfill({ json: { ...engine, ...lost } });
      });
      await page.route(/\/v2\/runs\?/, (route) =>
        route.fulfill({
          status: 500,
          json: {
            detail: {
              message: 'internal server error',
              code: 'internal',
              remedy: 'try again; request_id names the entry in the server log',
              request_id: '6f1f27c2-5b5c-4a3e-9d0d-0c7f6d6c1a11',
            },
          },
        }),
      );
    },
  },
  {
    state: 'reply',
    path: '/',
    act: async (page) => {
      await page.getByRole('button', { name: 'Run here' }).click();
      await page.getByText('Open the run').waitFor();
    },
  },
]);

/** Only the session is answered. */
function hold(route: Route): Promise<void> {
  return route.request().url().endsWith('/v2/auth/session') ? route.continue() : new Promise(() => undefined);
}

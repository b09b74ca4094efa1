/** The served model and the tags of a project. */
import { GPTJ_PIPELINE_ID } from '@gptj-cloud/protocol';
import { failReplies, holdReplies, manyEntries } from '../replies.ts';
import { defineScreens } from '../screen.ts';

const LONG_NAME = `${'a-very-long-name-of-a-pipeline/'.repeat(2)}poems:${'v1-final'.repeat(6)}`;

defineScreens('pipelines', [
  { state: 'empty', path: '/pipelines' },
  { state: 'loading', path: '/pipelines', isLoading: true, arrange: holdReplies('**/v2/*') },
  { state: 'error', path: '/pipelines', arrange: failReplies('**/v2/pipeline-tags?*') },
  {
    state: 'unavailable',
    path: '/pipelines',
    arrange: (page) =>
      page.route('**/v2/engine', async (route) => {
        const reply: object = await (await route.fetch()).json();
        const unknown = { memory_bytes: null, active: null, waiting: null, oldest_waiting_ms: null };
        const reason = 'the engine process ended; it is started again';
        await route.fulfill({ json: { ...reply, ...unknown, state: 'unavailable', reason } });
      }),
  },
  {
    state: 'tags',
    path: '/pipelines',
    async seed(api) {
      for (const name of ['poems:v1', 'poems:v2', 'letters/ada:latest', LONG_NAME]) {
        await api.tags.create({ name, pipeline: GPTJ_PIPELINE_ID });
      }
      return undefined;
    },
    arrange: (page) =>
      page.route('**/v2/engine', async (route) => {
        const reply: { history: object; cells: object } = await (await route.fetch()).json();
        const samples = Array.from({ length: 60 }, (_, i) => ({
          at: 1_768_478_400 + i * 5,
          tokens_per_second: Math.round(200 + 180 * Math.sin(i / 6) + (i % 7) * 8),
          busy: 0.71,
          active: 8,
          waiting: 3,
        }));
        const load = { active: 8, waiting: 3, oldest_waiting_ms: 4200, tokens_per_second: 412 };
        await route.fulfill({
          json: { ...reply, ...load, cells: { total: 8192, used: 5120 }, history: { interval_seconds: 5, samples } },
        });
      }),
  },
  {
    state: 'many',
    path: '/pipelines',
    seed: async (api) => void (await api.tags.create({ name: 'many:v0', pipeline: GPTJ_PIPELINE_ID })),
    arrange: manyEntries('**/v2/pipeline-tags?*', 200, (tag) =>
      Array.from({ length: 50 }, (_, at) => ({
        ...tag,
        id: `pipeline_tag_${String(at).padStart(32, '0')}`,
        name: at % 7 === 3 ? `${'a'.repeat(30)}/${'b'.repeat(38)}:v${at}-final-2` : `poems:v${at}`,
      })),
    ),
    act: (page) => page.getByText('1–50 of 200').waitFor(),
  },
  {
    state: 'new',
    path: '/pipelines',
    async act(page) {
      await page.getByRole('button', { name: 'New tag' }).first().click();
      await page.getByRole('dialog').waitFor();
    },
  },
  {
    state: 'menu',
    path: '/pipelines',
    seed: async (api) => void (await api.tags.create({ name: 'menu:v1', pipeline: GPTJ_PIPELINE_ID })),
    async act(page) {
      await page.getByRole('button', { name: 'Actions of menu:v1' }).click();
      await page.getByRole('menuitem', { name: 'Delete' }).waitFor();
    },
  },
  {
    state: 'taken',
    path: '/pipelines',
    async seed(api) {
      await api.tags.create({ name: 'odes:v1', pipeline: GPTJ_PIPELINE_ID });
      return undefined;
    },
    async act(page) {
      await page.getByRole('button', { name: 'New tag' }).first().click();
      await page.getByRole('textbox', { name: 'Tag' }).fill('odes:v1');
      await page.getByRole('button', { name: 'Create' }).click();
      await page.getByRole('button', { name: 'Move it here' }).waitFor();
    },
  },
]);

const model = `/pipelines/${GPTJ_PIPELINE_ID}`;
defineScreens('pipeline', [
  { state: 'model', path: model },
  { state: 'missing', path: `/pipelines/pipeline_${'0'.repeat(32)}`, widths: [390] },
]);

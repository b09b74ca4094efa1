/** Evaluations: the list, one beside the published table, and its documents. */
import { failReplies, holdReplies } from '../replies.ts';
import { defineScreens } from '../screen.ts';
import { PIQA, storeComparison, storeEvaluation } from '../stored-evaluation.ts';

const openFirst = 'details.evaluations-document >> nth=0';

defineScreens('evaluations', [
  { state: 'empty', path: '/evaluations' },
  {
    state: 'list',
    path: '/evaluations',
    async seed(api) {
      await storeEvaluation(api);
      return '/evaluations';
    },
  },
  { state: 'loading', path: '/evaluations', isLoading: true, arrange: holdReplies('**/v2/evaluations?*') },
  { state: 'error', path: '/evaluations', arrange: failReplies('**/v2/evaluations?*') },
]);

defineScreens('evaluation', [
  { state: 'scores', path: '/evaluations', seed: storeEvaluation },
  {
    state: 'documents',
    path: '/evaluations',
    seed: async (api) => `${await storeEvaluation(api)}?task=${PIQA}&order=worst`,
    async act(page) {
      await page.locator(`${openFirst} >> summary`).click();
      await page.locator(openFirst).scrollIntoViewIfNeeded();
    },
  },
  {
    state: 'delete',
    path: '/evaluations',
    seed: storeEvaluation,
    async act(page) {
      await page.getByRole('button', { name: 'Delete' }).click();
      await page.getByRole('alertdialog').waitFor();
    },
  },
  {
    state: 'none',
    path: '/evaluations',
    seed: async (api) => `${await storeEvaluation(api)}?task=0&answers=wrong`,
    widths: [390],
  },
]);

defineScreens('evaluations-compare', [
  {
    state: 'choose',
    path: '/evaluations/compare',
    async seed(api) {
      await storeEvaluation(api);
      return '/evaluations/compare';
    },
  },
  {
    state: 'choices',
    path: '/evaluations',
    seed: storeComparison,
    async act(page) {
      await page.getByRole('button', { name: /^GPT-J 6B, q4_0/ }).click();
      await page.getByRole('option').first().waitFor();
    },
  },
  { state: 'scores', path: '/evaluations', seed: storeComparison },
  {
    state: 'documents',
    path: '/evaluations',
    seed: async (api) => `${await storeComparison(api)}&change=flipped`,
    async act(page) {
      await page.locator(`${openFirst} >> summary`).click();
      await page.locator(openFirst).scrollIntoViewIfNeeded();
    },
  },
  {
    state: 'absent',
    path: '/evaluations',
    async seed(api) {
      const id = (await storeEvaluation(api)).split('/').at(-1);
      return `/evaluations/compare?before=${id}&after=evaluation_${'0'.repeat(32)}`;
    },
    widths: [390],
  },
]);

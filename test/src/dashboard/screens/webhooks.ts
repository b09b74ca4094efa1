/** Webhooks and their deliveries. The replies are made up, so that no message leaves this machine. */
import type { Page } from 'playwright-core';
import { failReplies, holdReplies } from '../replies.ts';
import { defineScreens } from '../screen.ts';

/** 2026-01-15 12:00 UTC, as the clock of the pictures. */
const NOW = 1_768_478_400;
const ID = 'webhook_00000000000000000000000000000001';

const webhook = {
  id: ID,
  url: 'https://hooks.example.com/gptj',
  events: ['run.completed', 'run.failed'],
  is_enabled: true,
  failed_attempts: 0,
  failing_since: null,
  disabled_at: null,
  disabled_reason: null,
  created_at: NOW - 86_400 * 12,
  updated_at: NOW - 86_400 * 2,
  previous_secret_until: null,
};
const failing = { ...webhook, failed_attempts: 4, failing_since: NOW - 2000 };
const disabled = {
  ...webhook,
  is_enabled: false,
  failed_attempts: 31,
  disabled_at: NOW - 7200,
  disabled_reason:
    '31 attempts since 2026-01-10T09:00:00.000Z have failed; the last: expected a status of 2xx, got 500',
};
const longUrl = `https://receiver.of-a-very-long-name.example.org/${'path/'.repeat(20)}?key=${'x'.repeat(60)}`;
const delivery = (index: number, fields: object) => ({
  id: `webhook_delivery_${index.toString(16).padStart(32, '0')}`,
  webhook_id: ID,
  run_id: `run_${(index * 7_654_321).toString(16).padStart(32, '3')}`,
  event: 'run.completed',
  state: 'delivered',
  attempts: 1,
  created_at: NOW - index * 340,
  due_at: NOW - index * 340,
  ended_at: NOW - index * 340 + 1,
  response_status: 204,
  failure: null,
  ...fields,
});
const deliveries = [
  delivery(0, {
    state: 'pending',
    attempts: 2,
    due_at: NOW + 900,
    response_status: 503,
    failure: 'expected a status of 2xx, got 503',
  }),
  delivery(1, {
    run_id: null,
    event: 'webhook.test',
    state: 'failed',
    response_status: null,
    failure: 'no connection within 3 s',
  }),
  delivery(2, { event: 'run.failed' }),
  delivery(3, { state: 'failed', attempts: 7, response_status: 500, failure: 'expected a status of 2xx, got 500' }),
  ...Array.from({ length: 16 }, (_, i) => delivery(4 + i, {})),
];

const pageOf = (data: readonly object[], total = data.length) => ({ skip: 0, limit: 20, total, data });

/** Replies for the pages of webhooks. */
function reply(all: readonly object[], one: object, log: readonly object[], total?: number) {
  return async (page: Page): Promise<void> => {
    await page.route('**/v2/webhooks?*', (route) => route.fulfill({ json: pageOf(all) }));
    await page.route(`**/v2/webhooks/${ID}`, (route) => route.fulfill({ json: one }));
    await page.route(`**/v2/webhooks/${ID}/deliveries?*`, (route) => route.fulfill({ json: pageOf(log, total) }));
    await page.route(`**/v2/webhooks/${ID}/rotate-secret`, (route) =>
      route.fulfill({
        json: { ...one, previous_secret_until: NOW + 86_400, secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' },
      }),
    );
  };
}

const second = { ...failing, id: ID.replace(/1$/, '2'), url: 'https://ci.example.org/hook', events: ['run.failed'] };
const third = { ...disabled, id: ID.replace(/1$/, '3'), url: longUrl };
const one = `/webhooks/${ID}`;
const openMenu = async (page: Page, entry: string): Promise<void> => {
  // Its menu is loaded after the page.
  await page.locator('[aria-haspopup][aria-label="Actions of the webhook"]').click();
  await page.getByRole('menuitem', { name: entry }).click();
  await page.getByRole(entry === 'Delete' ? 'alertdialog' : 'dialog').waitFor();
};

defineScreens('webhooks', [
  { state: 'empty', path: '/webhooks', arrange: reply([], webhook, []) },
  { state: 'list', path: '/webhooks', arrange: reply([webhook, second, third], webhook, []) },
  { state: 'loading', path: '/webhooks', isLoading: true, arrange: holdReplies('**/v2/webhooks?*') },
  { state: 'error', path: '/webhooks', arrange: failReplies('**/v2/webhooks?*') },
  {
    state: 'new',
    path: '/webhooks',
    arrange: reply([webhook], webhook, []),
    async act(page) {
      await page.getByRole('button', { name: 'New webhook' }).click();
      await page.getByRole('dialog').waitFor();
    },
  },
]);

defineScreens('webhook', [
  { state: 'log', path: one, arrange: reply([webhook], failing, deliveries, 214) },
  { state: 'empty', path: one, arrange: reply([webhook], webhook, []) },
  { state: 'disabled', path: one, arrange: reply([webhook], { ...disabled, url: longUrl }, deliveries.slice(2, 5)) },
  { state: 'loading', path: one, isLoading: true, arrange: holdReplies(`**/v2/webhooks/${ID}`), widths: [390] },
  { state: 'error', path: one, arrange: failReplies(`**/v2/webhooks/${ID}`) },
  {
    state: 'rotate',
    path: one,
    arrange: reply([webhook], webhook, []),
    act: (page) => openMenu(page, 'Rotate the secret'),
  },
  {
    state: 'secret',
    path: one,
    arrange: reply([webhook], webhook, []),
    async act(page) {
      await openMenu(page, 'Rotate the secret');
      await page.getByRole('button', { name: 'Rotate', exact: true }).click();
      await page.getByText('I have copied it').waitFor();
    },
  },
  { state: 'delete', path: one, arrange: reply([webhook], webhook, []), act: (page) => openMenu(page, 'Delete') },
]);

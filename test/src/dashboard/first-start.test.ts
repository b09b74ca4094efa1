/** The first minute with a new server. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SKIP_WITHOUT_CHROMIUM } from './chromium.ts';
import { useDashboard } from './dashboard.ts';

const skip = SKIP_WITHOUT_CHROMIUM;
const dashboard = useDashboard({ ownerExists: false });

test('the printed link opens the page that sets up the owner, and its secret stays out of the log', {
  skip,
}, async () => {
  const { setUpLink } = dashboard();
  const page = await dashboard().open(setUpLink);
  await page.getByRole('heading', { level: 1 }).waitFor();
  const secret = new URL(setUpLink).hash.slice(1);
  assert.ok(secret.length > 20);
  assert.ok(!dashboard().log.join('').includes(secret));
});

/** What must hold for every screen, in both themes, on a wide page and on a phone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditPage, layoutShift, sidewaysOverflow } from './audit.ts';
import { SKIP_WITHOUT_CHROMIUM } from './chromium.ts';
import { useDashboard } from './dashboard.ts';
import { loadScreens, screenOpener, shotName, THEMES, WIDTHS } from './screen.ts';

const MAX_LAYOUT_SHIFT = 0.02;
const skip = SKIP_WITHOUT_CHROMIUM;
const dashboard = useDashboard();
let open: ReturnType<typeof screenOpener> | undefined;

for (const screen of await loadScreens()) {
  test(`${screen.page}, ${screen.state}: accessible, steady and no wider than the window`, { skip }, async () => {
    open ??= screenOpener(dashboard());
    for (const theme of THEMES) {
      for (const width of screen.widths ?? WIDTHS) {
        const shot = { screen, theme, width };
        const page = await open(shot);
        const name = shotName(shot);
        assert.deepEqual(await auditPage(page), [], name);
        const shift = await layoutShift(page);
        assert.ok(shift <= MAX_LAYOUT_SHIFT, `${name}: the layout shifts by ${shift}`);
        assert.deepEqual(await sidewaysOverflow(page), [], name);
        await page.context().close();
      }
    }
  });
}

/** What must hold for every screen, in both themes, on a wide page and on a phone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditColours, auditPage, sidewaysOverflow } from './audit.ts';
import { SKIP_WITHOUT_CHROMIUM } from './chromium.ts';
import { useDashboard } from './dashboard.ts';
import { loadScreens, screenOpener, shotName, WIDTHS } from './screen.ts';

const MAX_LAYOUT_SHIFT = 0.02;
const SETTINGS = /^(?:account|admin|members|plan$|security|sessions|tokens|webhook)/;
const skip = SKIP_WITHOUT_CHROMIUM;

/** Declare a test of each screen: of the settings, or of all other pages. Two files run at a time. */
export async function checkScreens(part: 'settings' | 'work'): Promise<void> {
  const dashboard = useDashboard();
  let open: ReturnType<typeof screenOpener> | undefined;
  const pages = new Set<string>();
  for (const screen of await loadScreens()) {
    if (SETTINGS.test(screen.page) !== (part === 'settings')) continue;
    const isFirst = !pages.has(screen.page);
    pages.add(screen.page);
    test(`${screen.page}, ${screen.state}: accessible, steady and no wider than the window`, { skip }, async () => {
      open ??= screenOpener(dashboard());
      const widths = screen.widths ?? WIDTHS;
      for (const width of widths) {
        const shot = { screen, theme: 'light', width } as const;
        const name = shotName(shot);
        const { page, shift, leave } = await open(shot);
        const moved = `${name}: the layout shifts by ${shift.sum}\n${shift.moved.join('\n')}`;
        assert.ok(shift.sum <= MAX_LAYOUT_SHIFT, moved);
        assert.deepEqual(await sidewaysOverflow(page), [], name);
        assert.deepEqual(await auditPage(page), [], name);
        // Only colours differ between the themes. Those of a phone are those of a wide page, but for a bar and cards.
        if (width === Math.max(...widths) || isFirst) {
          await page.emulateMedia({ colorScheme: 'dark' });
          assert.deepEqual(await auditColours(page), [], shotName({ ...shot, theme: 'dark' }));
        }
        await leave();
      }
    });
  }
}

/** What comes after a page shows: the code of controls, pressed while it arrives, and the bar of a server that is not ready. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { layoutShift } from './audit.ts';
import { SKIP_WITHOUT_CHROMIUM } from './chromium.ts';
import { OWNER, useDashboard } from './dashboard.ts';
import { WIDTHS } from './screen.ts';

const dashboard = useDashboard();
const skip = SKIP_WITHOUT_CHROMIUM;

interface Control {
  readonly name: string;
  readonly chunk: RegExp;
  readonly button: (page: Page) => Locator;
  /** Another one on the same page, which no one presses. */
  readonly other: (page: Page) => Locator;
  readonly opened: (page: Page) => Locator;
}

const CONTROLS: readonly Control[] = [
  {
    name: 'menu',
    chunk: /\/menu-trigger-[^/]*\.js$/,
    button: (page) => page.getByRole('button', { name: /^Account of/ }),
    other: (page) => page.getByRole('button', { name: /^Project .*: switch$/ }),
    opened: (page) => page.getByRole('menuitem', { name: 'Sign out' }),
  },
  {
    name: 'select',
    chunk: /\/select-field-[^/]*\.js$/,
    button: (page) => page.getByRole('button', { name: /^(?:Light|Dark|As the system)/ }),
    other: (page) => page.getByRole('button', { name: /^Comfortable/ }),
    opened: (page) => page.getByRole('option', { name: 'Dark' }),
  },
];

/** Open the account's page, whose code for a control is held back. The returned function lets it come. */
async function openWithout({ chunk, other }: Control): Promise<{ page: Page; letCome: () => Promise<void> }> {
  const context = await dashboard().context({ as: OWNER });
  const page = await context.newPage();
  let letGo = (): void => undefined;
  const isHeld = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  await page.route(chunk, async (route) => {
    await isHeld;
    await route.continue();
  });
  await page.goto(new URL('/account', dashboard().url).href);
  await page.getByRole('heading', { level: 1, name: 'Account' }).waitFor();
  const letCome = async (): Promise<void> => {
    letGo();
    await other(page).and(page.locator('[aria-haspopup]')).waitFor();
  };
  return { page, letCome };
}

for (const control of CONTROLS) {
  const { name, button, opened } = control;

  test(`a ${name} opens when its code arrives in the middle of a press`, { skip }, async () => {
    const { page, letCome } = await openWithout(control);
    await button(page).hover();
    await page.mouse.down();
    await letCome();
    await page.mouse.up();
    await opened(page).waitFor();
  });

  test(`a ${name} opens when it was pressed before its code arrives`, { skip }, async () => {
    const { page, letCome } = await openWithout(control);
    await button(page).click();
    await letCome();
    await opened(page).waitFor();
  });

  test(`the button of a ${name} keeps the focus when its code arrives`, { skip }, async () => {
    const { page, letCome } = await openWithout(control);
    await button(page).focus();
    await letCome();
    await button(page).and(page.locator('[aria-haspopup]')).waitFor();
    assert.ok(await button(page).evaluate((element) => element === document.activeElement));
  });
}

for (const width of WIDTHS) {
  test(`a server that is not ready moves nothing on a page of ${width} px`, { skip }, async () => {
    const context = await dashboard().context({ as: OWNER, width });
    const page = await context.newPage();
    let letGo = (): void => undefined;
    const isHeld = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    await page.route('**/readyz', async (route) => {
      await isHeld;
      await route.fulfill({ status: 503, json: { status: 'not ready', reasons: ['engine'] } });
    });
    await page.goto(new URL('/account', dashboard().url).href);
    await page.getByRole('heading', { level: 1, name: 'Account' }).waitFor();
    letGo();
    await page.getByText('The server is not ready').waitFor();
    assert.deepEqual(await layoutShift(page), { sum: 0, moved: [] });
  });
}

/** Writes a picture of every screen; `npm run screens` calls it. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { openDashboard } from './dashboard.ts';
import { loadScreens, screenOpener, shotName, THEMES, WIDTHS } from './screen.ts';

/** An absent choice is all. */
export interface ScreenChoice {
  readonly page?: string;
  readonly state?: string;
  readonly theme?: string;
  readonly width?: number;
  readonly out: string;
  /** Receives each written path, and what is wrong with a page. */
  readonly print: (line: string) => void;
}

/** The clock of the server. The browser's stands still some minutes later, so that pictures of one build are alike. */
const SERVER_START = Date.parse('2026-01-15T12:00:00Z');
const BROWSER_AFTER_MS = 10 * 60_000;
const MAX_HEIGHT = 4000;
/** For one screen, with what it needs from the server. */
const MAX_RENDER_MS = 120_000;

/** Returns the number of screens that could not be rendered, or have a problem. */
export async function renderScreens(choice: ScreenChoice): Promise<number> {
  const chosen = (await loadScreens()).filter(
    ({ page, state }) => (choice.page ?? page) === page && (choice.state ?? state) === state,
  );
  if (chosen.length === 0) throw new Error(`no screen is called ${choice.page ?? ''} ${choice.state ?? ''}`);
  await mkdir(choice.out, { recursive: true });
  const started = performance.now();
  const serverNow = (): number => SERVER_START + Math.round(performance.now() - started);
  const dashboard = await openDashboard({
    clock: () => new Date(serverNow()),
    // What a stored folder has is younger than all that this clock dates: the first project would be another one.
    isFirstStart: true,
  });
  let failures = 0;
  try {
    // To render all screens takes longer: what they show must not lie in the future.
    const open = screenOpener(dashboard, () => new Date(Math.max(SERVER_START + BROWSER_AFTER_MS, serverNow() + 1000)));
    for (const screen of chosen) {
      for (const theme of THEMES.filter((each) => (choice.theme ?? each) === each)) {
        for (const width of (screen.widths ?? WIDTHS).filter((each) => (choice.width ?? each) === each)) {
          const name = shotName({ screen, theme, width });
          const path = join(choice.out, `${name}.png`);
          try {
            await withDeadline(async () => {
              const { page, leave } = await open({ screen, theme, width });
              await fitPage(page);
              await page.screenshot({ path, animations: 'disabled', caret: 'hide' });
              await leave();
            });
            await dashboard.endTest();
            choice.print(path);
          } catch (error) {
            failures++;
            choice.print(`${name}: ${error instanceof Error ? error.message : String(error)}`);
            // Closes the page, whose other problems are of no interest.
            await dashboard.endTest().catch(() => undefined);
          }
        }
      }
    }
  } finally {
    await dashboard.close();
  }
  return failures;
}

/** A page that never settles must not keep the others waiting. */
async function withDeadline(render: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not rendered after ${MAX_RENDER_MS / 1000} s`)), MAX_RENDER_MS);
  });
  try {
    await Promise.race([render(), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Make the window as high as the page, so that what sticks to its edges is where it ends. */
async function fitPage(page: Page): Promise<void> {
  const { width, height } = page.viewportSize() ?? { width: 0, height: 0 };
  const needed = await page.evaluate(() => document.documentElement.scrollHeight);
  if (needed <= height) return;
  await page.setViewportSize({ width, height: Math.min(needed, MAX_HEIGHT) });
  // What was scrolled to is in view now.
  await page.evaluate(() => scrollTo(0, 0));
}

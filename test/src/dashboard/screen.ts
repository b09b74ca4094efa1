/**
 * The table of screens: one record for a page in one state. The pictures, and the checks of accessibility and layout, walk
 * it. Files in `screens/` add to it by calling `defineScreens`.
 */
import type { PipelineCloud } from '@gptj-cloud/sdk';
import type { BrowserContext, Cookie, Page } from 'playwright-core';
import { type LayoutShift, layoutShift } from './audit.ts';
import { type Account, type Dashboard, heightOf, OWNER, type Theme } from './dashboard.ts';
import { overlaysShown, settle } from './settle.ts';

export interface Screen {
  /** `list`, `empty`, `loading`, `error`, `long`, or the name of an overlay that is open. */
  readonly state: string;
  /** Address to open; `seed` may replace it. */
  readonly path: string;
  /** Default: the owner; null: no one is signed in. */
  readonly as?: Account | null;
  /** Prepares the server, once for all themes and widths. Returns another address where it contains an id. */
  readonly seed?: (api: PipelineCloud, dashboard: Dashboard) => Promise<string | undefined>;
  /** Before the page is opened: `page.route(…)` holds or fails replies for the states loading and error. */
  readonly arrange?: (page: Page) => Promise<unknown>;
  /** After the page has its data: opens a menu or a dialog. */
  readonly act?: (page: Page) => Promise<unknown>;
  /** Replies stay away for good, so do not wait for them. */
  readonly isLoading?: boolean;
  /** Default: both. */
  readonly widths?: readonly number[];
}

export interface NamedScreen extends Screen {
  readonly page: string;
}

export const WIDTHS: readonly number[] = [1440, 390];
export const THEMES: readonly Theme[] = ['light', 'dark'];

const table: NamedScreen[] = [];

/** Add the states of a page to the table. */
export function defineScreens(page: string, screens: readonly Screen[]): void {
  for (const screen of screens) {
    if (table.some((each) => each.page === page && each.state === screen.state)) {
      throw new Error(`two screens ${page}-${screen.state}`);
    }
    table.push({ page, ...screen });
  }
}

/** The screens of all files in `screens/`. */
export async function loadScreens(): Promise<readonly NamedScreen[]> {
  const { readdir } = await import('node:fs/promises');
  const folder = new URL('./screens/', import.meta.url);
  for (const name of (await readdir(folder)).toSorted()) {
    if (name.endsWith('.js') && !name.endsWith('.test.js')) await import(new URL(name, folder).href);
  }
  return table;
}

export interface Shot {
  readonly screen: NamedScreen;
  readonly theme: Theme;
  readonly width: number;
}

/** `runs-list-dark-390` */
export function shotName({ screen, theme, width }: Shot): string {
  return `${screen.page}-${screen.state}-${theme}-${width}`;
}

export interface OpenScreen {
  readonly page: Page;
  /** How much the layout moved by itself while the page loaded. What a press changes afterwards is not part of it. */
  readonly shift: LayoutShift;
  /** Leave the page for the next screen. */
  readonly leave: () => Promise<void>;
}

/** A page that shows one screen after the other: to open a browser for each takes longer than to load the page. */
interface Tab {
  readonly page: Page;
  readonly settled: () => Promise<void>;
}

/** Opens screens on one server. With `now` the clock of the browser stands still at the time that it returns. */
export function screenOpener(dashboard: Dashboard, now?: () => Date): (shot: Shot) => Promise<OpenScreen> {
  const seeded = new Map<NamedScreen, Promise<string>>();
  const cookies = new Map<string, readonly Cookie[]>();
  const tabs = new Map<string, Promise<Tab>>();
  // A password check takes some tenths of a second of a core, so browsers of one account share its session.
  const signIn = async (context: BrowserContext, account: Account): Promise<void> => {
    const known = cookies.get(account.username);
    if (known !== undefined) await context.addCookies(known);
    if ((await context.request.get(`${dashboard.url}/v2/auth/session`)).ok()) return;
    await dashboard.signIn(context, account);
    cookies.set(account.username, await context.cookies());
  };
  const openTab = async (account: Account | null, width: number): Promise<Tab> => {
    const context = await dashboard.context({ width, isKept: true });
    if (account !== null) await signIn(context, account);
    const page = await context.newPage();
    return { page, settled: settle(page) };
  };
  return async ({ screen, theme, width }) => {
    const path = seeded.get(screen) ?? seedScreen(dashboard, screen);
    seeded.set(screen, path);
    const address = await path;
    const as = screen.as === undefined ? OWNER : screen.as;
    const name = `${as?.username ?? ''} ${width}`;
    const tab = tabs.get(name) ?? openTab(as, width);
    // A tab that a failed test has left as it was is not used again.
    tabs.delete(name);
    const { page, settled } = await tab;
    await page.setViewportSize({ width, height: heightOf(width) });
    await page.emulateMedia({ colorScheme: theme });
    if (now !== undefined) await page.clock.setFixedTime(now());
    await screen.arrange?.(page);
    await page.goto(new URL(address, dashboard.url).href);
    if (screen.isLoading === true) await waits(page);
    else await settled();
    const shift = await layoutShift(page);
    if (screen.act !== undefined) {
      await screen.act(page);
      if (screen.isLoading !== true) await settled();
      await overlaysShown(page);
    }
    const leave = async (): Promise<void> => {
      await leavePage(page);
      tabs.set(name, tab);
    };
    return { page, shift, leave };
  };
}

/** Without its replies a page shows its heading, and grey rows once the replies are late. */
async function waits(page: Page): Promise<void> {
  await page.getByRole('heading', { level: 1 }).first().waitFor();
  await page.waitForFunction(() =>
    [...document.querySelectorAll('.ui-skeleton')].every((rows) => rows.hasAttribute('data-late')),
  );
}

/** End what the page does, and remove what it has stored, but cookies. */
async function leavePage(page: Page): Promise<void> {
  await page.evaluate(() => sessionStorage.clear());
  const { origin } = new URL(page.url());
  await page.unrouteAll({ behavior: 'ignoreErrors' });
  await page.goto('about:blank');
  const session = await page.context().newCDPSession(page);
  await session.send('Storage.clearDataForOrigin', { origin, storageTypes: 'local_storage,indexeddb' });
  await session.detach();
}

async function seedScreen(dashboard: Dashboard, { seed, path }: NamedScreen): Promise<string> {
  return (await seed?.(dashboard.api, dashboard)) ?? path;
}

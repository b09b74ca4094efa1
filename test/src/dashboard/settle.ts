import type { Page, Request } from 'playwright-core';

const MAX_SETTLE_MS = 30_000;

/** Waits until what opens over the page is drawn: React Aria hides it at first, on a touch screen for some tenths of a second. */
export async function overlaysShown(page: Page): Promise<void> {
  await page.waitForFunction(() => document.querySelector('[style*="mask-image"]') === null);
}

/**
 * Returns a function that waits until a page has what it asked for: no request is under way but streams, fonts are loaded,
 * nothing is a skeleton. Call it before the page is opened. The function rejects after half a minute, and says what it waited
 * for.
 */
export function settle(page: Page): () => Promise<void> {
  const open = new Set<Request>();
  const isStream = (request: Request) => (request.headers().accept ?? '').includes('text/event-stream');
  page.on('request', (request) => {
    if (!isStream(request)) open.add(request);
  });
  page.on('requestfinished', (request) => open.delete(request));
  page.on('requestfailed', (request) => open.delete(request));
  // A page that is left has no request under way, whatever a test has held back.
  page.on('framenavigated', (frame) => {
    if (frame.url() === 'about:blank' && frame === page.mainFrame()) open.clear();
  });
  return async () => {
    const deadline = performance.now() + MAX_SETTLE_MS;
    // Two rounds without a request: a page asks for more when the first replies are there.
    for (let quiet = 0; quiet < 2; quiet = open.size === 0 ? quiet + 1 : 0) {
      if (performance.now() > deadline) {
        const requests = [...open].map((request) => `${request.method()} ${request.url()}`);
        throw new Error(`${page.url()} does not settle: it waits for ${requests.join(', ')}`);
      }
      await page.waitForFunction(
        () =>
          document.querySelector('#root')?.childElementCount !== 0 &&
          document.querySelector('[data-skeleton], .ui-skeleton') === null,
      );
      await page.evaluate(async () => {
        await document.fonts.ready;
        await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      });
    }
  };
}

import type { Page } from 'playwright-core';

/** Keep the replies of addresses away for good: the page stays in its loading state. */
export function holdReplies(pattern: string): (page: Page) => Promise<void> {
  return async (page) => {
    await page.route(pattern, () => new Promise<void>(() => undefined));
  };
}

/** Put what `many` makes of the first entry of a list in place of its entries, and `total` in place of their number. */
export function manyEntries(
  pattern: string,
  total: number,
  many: (first: object) => readonly object[],
): (page: Page) => Promise<void> {
  return async (page) => {
    await page.route(pattern, async (route) => {
      const reply: { readonly data: readonly object[] } = await (await route.fetch()).json();
      await route.fulfill({ json: { ...reply, total, data: many(reply.data[0] ?? {}) } });
    });
  };
}

/** Answer addresses with an error of the store. */
export function failReplies(pattern: string): (page: Page) => Promise<void> {
  return async (page) => {
    await page.route(pattern, (route) =>
      route.fulfill({
        status: 503,
        json: {
          detail: {
            message: 'the data store is unavailable: it did not answer within 5 s',
            code: 'store_unavailable',
            remedy: 'wait the seconds in the Retry-After header and send the request again',
            request_id: '7f3a91c2-d4e8-4b0f-9d57-0c9f0a1b2c3d',
          },
        },
      }),
    );
  };
}

/** What must hold on every page that a test opens, whatever the test is about. */
import type { BrowserContext, Page } from 'playwright-core';

/** Chromium writes it for every reply of the API with an error status; those are part of many stories. */
const REFUSED = /^Failed to load resource: the server responded with a status of (\d+)/;
/** Screens show the page without a server by cutting this address off, which the page asks whether it is there. */
const CUT_OFF = /^Failed to load resource: net::ERR_FAILED/;

/** Report violations of the policy, requests to other hosts and errors of scripts in every page of a context. */
export async function watchPages(
  context: BrowserContext,
  origin: string,
  report: (problem: string) => void,
): Promise<void> {
  await context.exposeBinding('reportViolation', (_, violation: string) => report(violation));
  await context.addInitScript(`addEventListener('securitypolicyviolation', (event) =>
    reportViolation(event.violatedDirective + ' violated by ' + (event.blockedURI || 'inline') + ': ' + event.sample));`);
  context.on('page', (page) => watchPage(page, origin, report));
}

function watchPage(page: Page, origin: string, report: (problem: string) => void): void {
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (/^https?:$/.test(url.protocol) && url.origin !== origin) report(`request to another host: ${url.href}`);
  });
  page.on('pageerror', (error) => report(`error of a script: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() !== 'error') return;
    const { url } = message.location();
    if (CUT_OFF.test(message.text()) && url.endsWith('/readyz')) return;
    const isReply = REFUSED.test(message.text()) && !url.includes('/assets/');
    if (!isReply) report(`error on the console: ${message.text()}`);
  });
}

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type Axe from 'axe-core';
import type { Page } from 'playwright-core';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const RULES: string[] = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
const GRAVE: ReadonlySet<string> = new Set(['serious', 'critical']);

/** Serious findings of axe-core on what is shown now, one line each. */
export async function auditPage(page: Page): Promise<readonly string[]> {
  return await audit(page, { type: 'tag', values: RULES });
}

/** Findings on contrast alone. */
export async function auditColours(page: Page): Promise<readonly string[]> {
  return await audit(page, { type: 'rule', values: ['color-contrast'] });
}

async function audit(page: Page, runOnly: Axe.RunOnly): Promise<readonly string[]> {
  // Not as a script element, which the policy of the page refuses. It stays for the next audit of the same page.
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(AXE);
  const { violations } = await page.evaluate(async (only) => {
    const { axe } = globalThis as unknown as { readonly axe: typeof Axe };
    // Announcements of react-aria name elements that may be gone a moment later.
    const context = { exclude: ['[data-live-announcer]'] };
    // Without loading style sheets and media again, for rules about orientation and audio.
    return await axe.run(context, { runOnly: only, resultTypes: ['violations'], preload: false });
  }, runOnly);
  return violations
    .filter(({ impact }) => GRAVE.has(impact ?? ''))
    .flatMap(({ id, help, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id} (${help}): ${html.slice(0, 200)}: ${failureSummary ?? ''}`),
    );
}

export interface LayoutShift {
  /** As browsers score it: the part of the window that moved, times how far. */
  readonly sum: number;
  /** What moved and how far, in pixels. */
  readonly moved: readonly string[];
}

interface ShiftEntry extends PerformanceEntry {
  readonly value: number;
  readonly hadRecentInput: boolean;
  readonly sources: readonly {
    readonly node: Node | null;
    readonly previousRect: DOMRectReadOnly;
    readonly currentRect: DOMRectReadOnly;
  }[];
}

/** How much the layout has moved by itself since the page was opened. */
export async function layoutShift(page: Page): Promise<LayoutShift> {
  return await page.evaluate(
    () =>
      new Promise<LayoutShift>((resolve) => {
        let sum = 0;
        const moved: string[] = [];
        new PerformanceObserver((list) => {
          for (const { value, hadRecentInput, sources } of list.getEntries() as ShiftEntry[]) {
            if (hadRecentInput) continue;
            sum += value;
            for (const { node, previousRect: from, currentRect: to } of sources) {
              const name = node instanceof Element ? node.outerHTML.slice(0, 80) : String(node?.textContent);
              moved.push(`${name}: from ${from.x},${from.y} to ${to.x},${to.y}`);
            }
          }
        }).observe({ type: 'layout-shift', buffered: true });
        // Buffered entries are delivered before the second frame.
        requestAnimationFrame(() => requestAnimationFrame(() => resolve({ sum, moved })));
      }),
  );
}

/** Elements that make the page scroll sideways. */
export async function sidewaysOverflow(page: Page): Promise<readonly string[]> {
  return await page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    return [...document.querySelectorAll('body *')]
      .filter((element) => element.getBoundingClientRect().right > width + 1)
      .slice(0, 5)
      .map((element) => `${element.tagName.toLowerCase()}.${element.getAttribute('class') ?? ''}`);
  });
}

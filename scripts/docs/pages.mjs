// All generated sections: the page, the marker and the renderer of each.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderCatalogue, renderErrorClasses, renderSdkErrors } from './errors-page.mjs';
import { replaceSection } from './marked-section.mjs';
import { renderParameters } from './parameters-page.mjs';
import { renderRouteDefaults } from './route-defaults-page.mjs';
import { renderSettings } from './settings-page.mjs';

/** `render(root)` gives Markdown, or a promise of it; it may read compiled packages and sources. */
const GENERATED_SECTIONS = [
  { path: 'docs/api.md', section: 'route defaults', render: renderRouteDefaults },
  { path: 'docs/errors.md', section: 'catalogue', render: renderCatalogue },
  { path: 'docs/errors.md', section: 'error classes', render: renderErrorClasses },
  { path: 'docs/errors.md', section: 'SDK errors', render: renderSdkErrors },
  { path: 'docs/generate.md', section: 'parameters', render: renderParameters },
  { path: 'docs/operations.md', section: 'settings', render: renderSettings },
];

/** Pages with their current and expected text: `{ path, current, expected }`. */
export async function renderPages(root, sections = GENERATED_SECTIONS) {
  const pages = new Map();
  for (const { path, section, render } of sections) {
    const page = pages.get(path) ?? { path, current: readFileSync(join(root, path), 'utf8') };
    try {
      page.expected = replaceSection(page.expected ?? page.current, section, await render(root));
    } catch (cause) {
      throw new Error(`${path}, section ${section}: ${cause.message}`, { cause });
    }
    pages.set(path, page);
  }
  return [...pages.values()];
}

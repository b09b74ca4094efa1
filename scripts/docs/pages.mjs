// All generated sections of pages, and all generated files, with the renderer of each.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SYNC_FILES } from '../sdk/python-sync.mjs';
import { renderPythonParameters, renderPythonValues } from '../sdk/python-types.mjs';
import { renderParameterTypes, renderReplyTypes, renderRequestTypes } from '../sdk/typescript-types.mjs';
import { renderCommands } from './cli-page.mjs';
import { renderCatalogue, renderErrorClasses, renderSdkErrors } from './errors-page.mjs';
import { replaceSection } from './marked-section.mjs';
import { renderMemory } from './memory-page.mjs';
import { renderParameters } from './parameters-page.mjs';
import { renderRemoteParameters } from './remote-parameters-page.mjs';
import { renderRouteDefaults } from './route-defaults-page.mjs';
import { renderSettings } from './settings-page.mjs';

/** `render(root)` gives Markdown, or a promise of it; it may read compiled packages and sources. */
const GENERATED_SECTIONS = [
  { path: 'docs/api.md', section: 'route defaults', render: renderRouteDefaults },
  { path: 'docs/cli.md', section: 'commands', render: renderCommands },
  { path: 'docs/errors.md', section: 'catalogue', render: renderCatalogue },
  { path: 'docs/errors.md', section: 'error classes', render: renderErrorClasses },
  { path: 'docs/errors.md', section: 'SDK errors', render: renderSdkErrors },
  { path: 'docs/generate.md', section: 'parameters', render: renderParameters },
  { path: 'docs/operations.md', section: 'memory', render: renderMemory },
  { path: 'docs/operations.md', section: 'settings', render: renderSettings },
  { path: 'docs/scale-out.md', section: 'remote parameters', render: renderRemoteParameters },
];

/** `render(root)` gives the whole file. */
const GENERATED_FILES = [
  ...SYNC_FILES,
  { path: 'packages/sdk/src/generate-parameters.ts', render: renderParameterTypes },
  { path: 'packages/sdk/src/request-parameters.ts', render: renderRequestTypes },
  { path: 'clients/python/pipeline/_parameters.py', render: renderPythonParameters },
  { path: 'clients/python/pipeline/_parameter_values.py', render: renderPythonValues },
  { path: 'packages/sdk/src/reply-types.ts', render: renderReplyTypes },
];

/** Pages with their current and expected text: `{ path, current, expected }`. A missing file has the text ''. */
export async function renderPages(root, sections = GENERATED_SECTIONS, files = GENERATED_FILES) {
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
  for (const { path, render } of files) {
    const file = join(root, path);
    pages.set(path, {
      path,
      current: existsSync(file) ? readFileSync(file, 'utf8') : '',
      expected: await render(root),
    });
  }
  return [...pages.values()];
}

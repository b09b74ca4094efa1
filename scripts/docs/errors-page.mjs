// The generated sections of docs/errors.md.

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { readProjectFiles } from '../lint/project-files.mjs';
import { readClasses, readErrorClasses } from './error-classes.mjs';

/** Codes of HTTP replies, from the catalogue in packages/protocol, by status. */
export async function renderCatalogue(root) {
  const { ERROR_CATALOGUE } = await import(pathToFileURL(join(root, 'packages/protocol/dist/index.js')).href);
  const byStatus = new Map();
  for (const [code, entry] of Object.entries(ERROR_CATALOGUE)) {
    byStatus.set(entry.status, [...(byStatus.get(entry.status) ?? []), { code, ...entry }]);
  }
  return [...byStatus]
    .sort(([a], [b]) => a - b)
    .map(([status, entries]) => `### ${status}\n\n${entries.map(renderEntry).join('\n')}`)
    .join('\n\n');
}

function renderEntry({ code, message, meaning, remedy }) {
  const parts = [`#### \`${code}\`\n`, `Message: ${inline(message)}\n`];
  if (meaning !== undefined) parts.push(`${meaning}\n`);
  parts.push(`Remedy: ${inline(remedy)}\n`);
  return parts.join('\n');
}

/** Codes of the error classes in packages and applications. */
export function renderErrorClasses(root) {
  const files = readProjectFiles(root).filter(
    ({ path }) => /^(?:packages|apps)\/[^/]+\/src\/.*\.ts$/.test(path) && !/\.test\.ts$|\/testing\//.test(path),
  );
  return readErrorClasses(files)
    .filter(({ path }) => !path.startsWith('packages/protocol/') && !path.startsWith('packages/sdk/'))
    .map(({ name, path, summary, codes }) => {
      const rows = codes.map(({ code, meaning }) => `| \`${code}\` | ${meaning.replaceAll('|', '\\|')} |`);
      return `### ${name}\n\n${summary} (\`${path.split('/').slice(0, 2).join('/')}\`)\n\n| code | meaning |\n| --- | --- |\n${rows.join('\n')}`;
    })
    .join('\n\n');
}

/** Classes of the TypeScript client. */
export function renderSdkErrors(root) {
  const { text } = readProjectFiles(root).find(({ path }) => path === 'packages/sdk/src/errors.ts');
  const rows = readClasses(text, 'PipelineApiError').map(({ name, summary, body }) => {
    const code = /'(\w+)'\);$/m.exec(body)?.[1];
    return `| \`${name}\` | ${code === undefined ? '' : `\`${code}\``} | ${summary.replaceAll('|', '\\|')} |`;
  });
  return `| class | code without a reply's own | thrown when |\n| --- | --- | --- |\n${rows.join('\n')}`;
}

/** Placeholders are shown as code, so that a page does not take \`<id>\` for a tag. */
function inline(text) {
  return text.replace(/\{\w+\}|<[^>]+>/g, (part) => `\`${part}\``);
}

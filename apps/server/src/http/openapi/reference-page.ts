import { createHash } from 'node:crypto';
import type { OpenApiContent, OpenApiDocument, OpenApiOperation } from './openapi-document.ts';
import type { JsonSchema } from './operation.ts';

const STYLE = `
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
code, pre { font: 13px/1.5 ui-monospace, monospace; }
pre { overflow-x: auto; padding: .75rem; border: 1px solid color-mix(in srgb, currentColor 20%, transparent); border-radius: .4rem; }
details { border-bottom: 1px solid color-mix(in srgb, currentColor 15%, transparent); padding: .4rem 0; }
summary { cursor: pointer; }
summary b { display: inline-block; width: 4.5rem; font: 700 13px ui-monospace, monospace; }
summary small { opacity: .75; margin-left: .5rem; }
table { border-collapse: collapse; margin: .5rem 0; }
td, th { text-align: left; vertical-align: top; padding: .2rem 1rem .2rem 0; }
nav a { margin-right: 1rem; }
h2 { margin-top: 2rem; }
`;

/** Allows the style above and nothing else. */
export const REFERENCE_POLICY: string = `default-src 'none'; style-src 'sha256-${createHash('sha256')
  .update(STYLE)
  .digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** The document as a page without scripts and external resources. */
export function referencePage(document: OpenApiDocument): string {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const tags = [...new Set(operations.flatMap(({ operation }) => operation.tags))];
  const sections = tags.map((tag) => {
    const entries = operations.filter(({ operation }) => operation.tags.includes(tag));
    return `<h2 id="${anchor(tag)}">${escapeHtml(tag)}</h2>\n${entries
      .map(({ path, method, operation }) => operationEntry(path, method, operation))
      .join('\n')}`;
  });
  const shapes = Object.entries(document.components.schemas).map(
    ([name, schema]) =>
      `<details id="schema-${escapeHtml(name)}"><summary><code>${escapeHtml(name)}</code></summary>${schemaBlock(schema)}</details>`,
  );
  const { title, version, description } = document.info;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)} API</title>
<style>${STYLE}</style>
<h1>${escapeHtml(title)} ${escapeHtml(version)}</h1>
<p>${escapeHtml(description)}</p>
<p>Send an API token as <code>Authorization: Bearer …</code>. For machines: <a href="/openapi.json">openapi.json</a>.</p>
<nav>${[...tags, 'shapes'].map((tag) => `<a href="#${anchor(tag)}">${escapeHtml(tag)}</a>`).join('')}</nav>
${sections.join('\n')}
<h2 id="shapes">shapes</h2>
${shapes.join('\n')}
</html>
`;
}

function operationEntry(path: string, method: string, operation: OpenApiOperation): string {
  const { operationId, summary, description, security, parameters, requestBody, responses } = operation;
  const access = security.length === 0 ? 'public' : security.map((each) => Object.keys(each)[0]).join(' or ');
  const replies = Object.entries(responses).map(
    ([status, reply]) =>
      `<p><b>${escapeHtml(status)}</b> ${escapeHtml(reply.description)}</p>${contentBlocks(reply.content ?? {})}`,
  );
  return [
    `<details id="${escapeHtml(operationId)}"><summary><b>${escapeHtml(method.toUpperCase())}</b><code>${escapeHtml(path)}</code><small>${escapeHtml(summary)}</small></summary>`,
    description === undefined ? '' : `<p>${escapeHtml(description)}</p>`,
    `<p>Access: ${escapeHtml(access)}.</p>`,
    parameters.length === 0 ? '' : `<h4>Parameters</h4><table>${parameters.map(parameterRow).join('')}</table>`,
    requestBody === undefined ? '' : `<h4>Body</h4>${contentBlocks(requestBody.content)}`,
    `<h4>Replies</h4>${replies.join('')}`,
    '</details>',
  ].join('\n');
}

function parameterRow(parameter: JsonSchema): string {
  const cells = [parameter.name, parameter.in, JSON.stringify(parameter.schema), parameter.description ?? ''];
  return `<tr>${cells.map((cell, at) => (at % 2 === 0 ? `<td><code>${escapeHtml(String(cell))}</code></td>` : `<td>${escapeHtml(String(cell))}</td>`)).join('')}</tr>`;
}

function contentBlocks(content: OpenApiContent): string {
  return Object.entries(content)
    .map(([type, { schema }]) => `<p><code>${escapeHtml(type)}</code></p>${schemaBlock(schema)}`)
    .join('');
}

/** JSON whose references are links. */
function schemaBlock(schema: JsonSchema): string {
  const text = escapeHtml(JSON.stringify(schema, null, 2));
  return `<pre>${text.replaceAll(/#\/components\/schemas\/(\w+)/g, '<a href="#schema-$1">$1</a>')}</pre>`;
}

function anchor(tag: string): string {
  return tag.replaceAll(/\W+/g, '-');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (c) => ENTITIES[c] ?? c);
}

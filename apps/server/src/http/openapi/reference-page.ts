import { html } from 'hono/html';
import { type Html, inlineText, pagePolicy } from '../html-page.ts';
import type { OpenApiContent, OpenApiDocument, OpenApiOperation } from './openapi-document.ts';
import type { JsonSchema } from './operation.ts';

const STYLE = inlineText(`
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
`);

/** Allows the style above and nothing else. */
export const REFERENCE_POLICY: string = pagePolicy(`style-src ${STYLE.source}`);

/** The document as a page without scripts and external resources. */
export async function referencePage(document: OpenApiDocument): Promise<string> {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const tags = [...new Set(operations.flatMap(({ operation }) => operation.tags))];
  const sections = tags.map((tag) => {
    const entries = operations.filter(({ operation }) => operation.tags.includes(tag));
    return html`<h2 id="${anchor(tag)}">${tag}</h2>
${entries.map(({ path, method, operation }) => operationEntry(path, method, operation))}`;
  });
  const shapes = Object.entries(document.components.schemas).map(
    ([name, schema]) =>
      html`<details id="schema-${name}"><summary><code>${name}</code></summary>${schemaBlock(schema)}</details>
`,
  );
  const { title, version, description } = document.info;
  const page = await html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title} API</title>
<style>${STYLE.text}</style>
<h1>${title} ${version}</h1>
<p>${description}</p>
<p>Send an API token as <code>Authorization: Bearer …</code>. For machines: <a href="/openapi.json">openapi.json</a>.</p>
<nav>${[...tags, 'shapes'].map((tag) => html`<a href="#${anchor(tag)}">${tag}</a>`)}</nav>
${sections}
<h2 id="shapes">shapes</h2>
${shapes}</html>
`;
  return page.toString();
}

function operationEntry(path: string, method: string, operation: OpenApiOperation): Html {
  const { operationId, summary, description, security, parameters, requestBody, responses } = operation;
  const access = security.length === 0 ? 'public' : security.map((each) => Object.keys(each)[0]).join(' or ');
  return html`<details id="${operationId}"><summary><b>${method.toUpperCase()}</b><code>${path}</code><small>${summary}</small></summary>
${description === undefined ? '' : html`<p>${description}</p>`}
<p>Access: ${access}.</p>
${parameters.length === 0 ? '' : html`<h4>Parameters</h4><table>${parameters.map(parameterRow)}</table>`}
${requestBody === undefined ? '' : html`<h4>Body</h4>${contentBlocks(requestBody.content)}`}
<h4>Replies</h4>${Object.entries(responses).map(
    ([status, reply]) => html`<p><b>${status}</b> ${reply.description}</p>${contentBlocks(reply.content ?? {})}`,
  )}
</details>
`;
}

function parameterRow({ name, in: place, schema, description = '' }: JsonSchema): Html {
  return html`<tr><td><code>${String(name)}</code></td><td>${String(place)}</td><td><code>${JSON.stringify(schema)}</code></td><td>${String(description)}</td></tr>`;
}

function contentBlocks(content: OpenApiContent): readonly Html[] {
  return Object.entries(content).map(([type, { schema }]) => html`<p><code>${type}</code></p>${schemaBlock(schema)}`);
}

/** JSON whose references are links. */
function schemaBlock(schema: JsonSchema): Html {
  const parts = JSON.stringify(schema, null, 2).split(/(#\/components\/schemas\/\w+)/);
  return html`<pre>${parts.map((part) => {
    const [, name] = /^#\/components\/schemas\/(\w+)$/.exec(part) ?? [];
    return name === undefined ? part : html`<a href="#schema-${name}">${name}</a>`;
  })}</pre>`;
}

function anchor(tag: string): string {
  return tag.replaceAll(/\W+/g, '-');
}

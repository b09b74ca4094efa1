import { html } from 'hono/html';
import type { Html } from '../html-page.ts';
import type { OpenApiContent, OpenApiDocument, OpenApiOperation } from '../openapi/openapi-document.ts';
import { codeBlock, inlineCode } from './markdown.ts';
import { exampleBody, type OperationExamples, operationExamples } from './operation-examples.ts';
import { isSchema, typeText } from './schema-reader.ts';
import { schemaTable } from './schema-table.ts';

/** The operations of one tag of the document. */
export interface ReferenceSection {
  readonly tag: string;
  /** `/docs/reference/<slug>`. */
  readonly slug: string;
  readonly operations: readonly ReferenceOperation[];
}

export interface ReferenceOperation {
  readonly method: string;
  readonly path: string;
  readonly operation: OpenApiOperation;
}

const LANGUAGES: readonly { readonly id: keyof OperationExamples; readonly title: string; readonly code: string }[] = [
  { id: 'curl', title: 'curl', code: 'sh' },
  { id: 'typescript', title: 'TypeScript', code: 'ts' },
  { id: 'python', title: 'Python', code: 'python' },
];

export function referenceSections(document: OpenApiDocument): readonly ReferenceSection[] {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): ReferenceOperation => ({ path, method, operation })),
  );
  const tags = [...new Set(operations.flatMap(({ operation }) => operation.tags))];
  return tags.map((tag) => ({
    tag,
    slug: tag.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-'),
    operations: operations.filter(({ operation }) => operation.tags.includes(tag)),
  }));
}

export function operationAddress({ slug }: ReferenceSection, { operation }: ReferenceOperation): string {
  return `/docs/reference/${slug}#${operation.operationId}`;
}

/** Every operation in a line, with the way to send requests. */
export function referenceOverview(document: OpenApiDocument, sections: readonly ReferenceSection[]): Html {
  return html`<h1>API reference</h1>
<p>${document.info.description}</p>
<p>Send an API token as <code>Authorization: Bearer …</code>. Every operation has an example in three languages, and a form
that sends it from this page. For machines: <a href="/openapi.json">openapi.json</a>, OpenAPI 3.1.</p>
${sections.map(
  (
    section,
  ) => html`<h2 id="${section.slug}"><a class="anchor" href="/docs/reference/${section.slug}">${section.tag}</a></h2>
<div class="table" tabindex="0"><table><tbody>${section.operations.map(
    (each) =>
      html`<tr class="filtered"><td><code>${each.method.toUpperCase()}</code></td><td><a href="${operationAddress(section, each)}"><code>${each.path}</code></a></td><td>${each.operation.summary}</td></tr>
`,
  )}</tbody></table></div>
`,
)}`;
}

/** The operations of a section in full. */
export function referenceSectionPage(section: ReferenceSection, document: OpenApiDocument, origin: string): Html {
  return html`<h1>${section.tag}</h1>
<div class="try"><label>API token for the requests of this page; it is forgotten when you leave. Without it, requests use the
session of the dashboard.<input id="token" type="password" autocomplete="off" spellcheck="false"></label></div>
${section.operations.map((each) => operationEntry(each, document, origin))}`;
}

/** Every named shape of a body. */
export function shapesPage(document: OpenApiDocument): Html {
  const { schemas } = document.components;
  return html`<h1>Shapes</h1>
<p>The named parts of bodies.</p>
${Object.entries(schemas).map(
  ([
    name,
    schema,
  ]) => html`<details class="operation filtered" id="schema-${name}"><summary><code>${name}</code></summary><div>${
    typeof schema.description === 'string' ? html`<p>${inlineCode(schema.description)}</p>` : ''
  }${schemaTable(schema, schemas)}</div></details>
`,
)}`;
}

function operationEntry(each: ReferenceOperation, document: OpenApiDocument, origin: string): Html {
  const { method, path, operation } = each;
  const { operationId, summary, description, security, parameters, requestBody, responses } = operation;
  const access = security.length === 0 ? 'public' : security.map((scheme) => Object.keys(scheme)[0]).join(' or ');
  const examples = operationExamples({ method, path, operation, origin });
  return html`<details class="operation filtered" id="${operationId}"><summary><b>${method.toUpperCase()}</b><code>${path}</code><small>${summary}</small></summary><div>
${description === undefined ? '' : html`<p>${inlineCode(description)}</p>`}
<p>Access: ${access}.</p>
${examples === null ? '' : exampleTabs(operationId, examples)}
${parameters.length === 0 ? '' : html`<h4>Parameters</h4><div class="table" tabindex="0"><table><tbody>${parameters.map(parameterRow)}</tbody></table></div>`}
${requestBody === undefined ? '' : html`<h4>Body</h4>${contentBlocks(requestBody.content, document)}`}
<h4>Replies</h4>${Object.entries(responses).map(
    ([status, reply]) =>
      html`<p><b>${status}</b> ${inlineCode(reply.description)}</p>${contentBlocks(reply.content ?? {}, document)}`,
  )}
${tryForm(each)}
</div></details>
`;
}

function exampleTabs(id: string, examples: OperationExamples): Html {
  return html`<div class="tabs" role="tablist" aria-label="Language of the example">${LANGUAGES.map(
    (language, at) =>
      html`<button type="button" role="tab" id="${id}-tab-${language.id}" aria-controls="${id}-${language.id}" aria-selected="${at === 0 ? 'true' : 'false'}" data-language="${language.id}">${language.title}</button>`,
  )}</div>${LANGUAGES.map(
    (language, at) =>
      html`<div role="tabpanel" id="${id}-${language.id}" aria-labelledby="${id}-tab-${language.id}"${at === 0 ? '' : html` hidden`}>${codeBlock(examples[language.id], language.code)}</div>`,
  )}`;
}

/** A form that sends the request; none where its body is no JSON. */
function tryForm({ method, path, operation }: ReferenceOperation): Html | '' {
  const body = exampleBody(operation);
  if (operation.requestBody !== undefined && body === undefined) return '';
  const risk = method === 'delete' ? html` data-risk="Send DELETE ${path} to this server?"` : '';
  return html`<form class="try" data-method="${method.toUpperCase()}" data-path="${path}"${risk}>
${operation.parameters.map(({ name, in: place, schema }) => {
  const isNeeded = place === 'path';
  const hint = isSchema(schema) && schema.default !== undefined ? `default ${JSON.stringify(schema.default)}` : '';
  return html`<label><code>${String(name)}</code> ${String(place)} <input name="${String(place)}:${String(name)}" placeholder="${hint}" autocomplete="off"${isNeeded ? html` required` : ''}></label>
`;
})}${body === undefined ? '' : html`<label>Body <textarea name="body" spellcheck="false">${JSON.stringify(body, null, 2)}</textarea></label>`}
<button class="primary">Send ${method.toUpperCase()}</button> <button type="button" hidden>Stop</button>
<pre class="reply" tabindex="0" hidden></pre></form>`;
}

function parameterRow({ name, in: place, schema, description = '' }: OpenApiOperation['parameters'][number]): Html {
  const type = isSchema(schema) ? typeText(schema) : '';
  return html`<tr><td><code>${String(name)}</code></td><td>${String(place)}</td><td><span class="type">${type}</span><br>${inlineCode(String(description))}</td></tr>`;
}

function contentBlocks(content: OpenApiContent, document: OpenApiDocument): readonly Html[] {
  return Object.entries(content).map(
    ([type, { schema }]) => html`<p><code>${type}</code></p>${schemaTable(schema, document.components.schemas)}`,
  );
}

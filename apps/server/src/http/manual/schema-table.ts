import { html } from 'hono/html';
import type { Html } from '../html-page.ts';
import type { JsonSchema } from '../openapi/operation.ts';
import { inlineCode } from './markdown.ts';
import { isSchema, referenceName, resolveReference, type Schemas, typeText } from './schema-reader.ts';

/** Where a named schema is described on the page that shows all of them. */
function schemaAddress(name: string): string {
  return `/docs/reference/shapes#schema-${name}`;
}

/** A schema as a table of its fields; fields of objects and items of lists follow below in tables of their own. */
export function schemaTable(schema: JsonSchema, schemas: Schemas, depth = 0): Html {
  const found = resolveReference(schema, schemas);
  const choices = [found.anyOf, found.oneOf].find(Array.isArray)?.filter(isSchema);
  if (choices?.some((each) => hasFields(each))) {
    return html`${choices.map((each, at) => html`${at === 0 ? '' : html`<p>or</p>`}${schemaTable(each, schemas, depth)}`)}`;
  }
  if (Array.isArray(found.prefixItems)) {
    const items = found.prefixItems.filter(isSchema);
    return fieldTable(
      items.map((item, at): Field => ({ name: `[${at}]`, schema: item, isRequired: at === 0 })),
      schemas,
      depth,
    );
  }
  if (isSchema(found.items)) return schemaTable(found.items, schemas, depth);
  if (!hasFields(found)) return html`<p>${typeLink(schema)}${described(found)}</p>`;
  const required = Array.isArray(found.required) ? found.required : [];
  const fields = Object.entries(Object(found.properties)).flatMap(([name, each]): Field[] =>
    isSchema(each) ? [{ name, schema: each, isRequired: required.includes(name) }] : [],
  );
  return fieldTable(fields, schemas, depth);
}

interface Field {
  readonly name: string;
  readonly schema: JsonSchema;
  readonly isRequired: boolean;
}

function fieldTable(fields: readonly Field[], schemas: Schemas, depth: number): Html {
  return html`<div class="table" tabindex="0"><table><tbody>${fields.map(({ name, schema, isRequired }) => {
    // References are links, so that a table ends.
    const isOpen = depth < 2 && referenceName(schema) === null && hasInnerFields(schema);
    return html`<tr><td><code>${name}</code>${isRequired ? html` <span class="required">required</span>` : ''}</td><td>${typeLink(schema)}${described(schema)}${
      isOpen ? html`<details><summary>fields</summary>${schemaTable(schema, schemas, depth + 1)}</details>` : ''
    }</td></tr>
`;
  })}</tbody></table></div>`;
}

function hasFields(schema: JsonSchema): boolean {
  return isSchema(schema.properties) && Object.keys(schema.properties).length > 0;
}

function hasInnerFields(schema: JsonSchema): boolean {
  if (hasFields(schema) || Array.isArray(schema.prefixItems)) return true;
  if (isSchema(schema.items)) return hasInnerFields(schema.items);
  return [schema.anyOf, schema.oneOf].some((list) => Array.isArray(list) && list.filter(isSchema).some(hasInnerFields));
}

/** Names of schemas in the text of a type become links. */
function typeLink(schema: JsonSchema): Html {
  const names = new Set(namesIn(schema));
  const parts = typeText(schema).split(/(\W)/);
  const given = schema.default === undefined ? '' : `, default ${JSON.stringify(schema.default)}`;
  return html`<span class="type">${parts.map((part) =>
    names.has(part) ? html`<a href="${schemaAddress(part)}">${part}</a>` : part,
  )}${given}</span>`;
}

function namesIn(schema: JsonSchema): readonly string[] {
  const name = referenceName(schema);
  if (name !== null) return [name];
  const inner = [schema.anyOf, schema.oneOf, schema.prefixItems].flatMap((list) =>
    Array.isArray(list) ? list.filter(isSchema) : [],
  );
  return [...inner, ...(isSchema(schema.items) ? [schema.items] : [])].flatMap(namesIn);
}

function described({ description }: JsonSchema): Html | '' {
  return typeof description === 'string' ? html`<br>${inlineCode(description)}` : '';
}

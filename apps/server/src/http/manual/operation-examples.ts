import type { OpenApiOperation } from '../openapi/openapi-document.ts';
import { isSchema } from './schema-reader.ts';

/** One request in the languages of the reference. */
export interface OperationExamples {
  readonly curl: string;
  readonly typescript: string;
  readonly python: string;
}

export interface ExampleRequest {
  readonly method: string;
  /** As OpenAPI writes it: `/v2/runs/{id}`. */
  readonly path: string;
  readonly operation: OpenApiOperation;
  /** Of this server, without a slash at its end. */
  readonly origin: string;
}

/** The example of the JSON body; undefined: the operation takes none. */
export function exampleBody({ requestBody }: OpenApiOperation): unknown {
  return requestBody?.content['application/json']?.example;
}

/**
 * The request with the fields that it needs. Parts of the path and of the query are capitals to replace. Null where a token is not enough,
 * the body is a form or the reply is no text.
 */
export function operationExamples(request: ExampleRequest): OperationExamples | null {
  const { operation, origin, path } = request;
  const isPublic = operation.security.length === 0;
  if (!isPublic && !operation.security.some((scheme) => 'token' in scheme)) return null;
  const body = exampleBody(operation);
  if ((operation.requestBody !== undefined && body === undefined) || isBinary(operation)) return null;
  const query = requiredQuery(operation).map((name) => `${name}=${name.toUpperCase()}`);
  const address = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => name.toUpperCase());
  const url = `${origin}${address}${query.length === 0 ? '' : `?${query.join('&')}`}`;
  const call = { url, method: request.method.toUpperCase(), body, hasToken: !isPublic, isText: isText(operation) };
  return { curl: curl(call), typescript: typescript(call), python: python(call) };
}

/** Names of the query's parameters without which the route refuses a request. */
function requiredQuery({ parameters }: OpenApiOperation): readonly string[] {
  return parameters.flatMap(({ name, in: place, required }) =>
    place === 'query' && required === true && typeof name === 'string' ? [name] : [],
  );
}

const MAX_LINE = 80;

interface Call {
  readonly url: string;
  readonly method: string;
  readonly body: unknown;
  readonly hasToken: boolean;
  /** Whether the reply is no JSON. */
  readonly isText: boolean;
}

function isText(operation: OpenApiOperation): boolean {
  return !replyTypes(operation).includes('application/json');
}

function isBinary(operation: OpenApiOperation): boolean {
  return replyTypes(operation).some((type) => !/^text\/|json$/.test(type));
}

function replyTypes({ responses }: OpenApiOperation): readonly string[] {
  return Object.keys(responses['200']?.content ?? responses['201']?.content ?? {});
}

function curl({ url, method, body, hasToken }: Call): string {
  const lines = [
    // A shell reads ? and & itself.
    `curl -s${method === 'GET' || (method === 'POST' && body !== undefined) ? '' : ` -X ${method}`} ${url.includes('?') ? `'${url}'` : url}`,
    ...(hasToken ? ['-H "Authorization: Bearer $PIPELINE_API_TOKEN"'] : []),
    ...(body === undefined
      ? []
      : ["-H 'Content-Type: application/json'", `-d '${shellJson(body).replaceAll("'", "'\\''")}'`]),
  ];
  return lines.join(' \\\n  ');
}

/** On one line where it fits. */
function shellJson(body: unknown): string {
  const line = JSON.stringify(body);
  return line.length <= MAX_LINE ? line : indented(JSON.stringify(body, null, 2));
}

function typescript({ url, method, body, hasToken, isText: asText }: Call): string {
  const headers = [
    ...(hasToken ? [`authorization: \`Bearer \${process.env.PIPELINE_API_TOKEN}\``] : []),
    ...(body === undefined ? [] : ["'content-type': 'application/json'"]),
  ];
  const options = [
    ...(method === 'GET' ? [] : [`  method: '${method}',`]),
    ...(headers.length === 0 ? [] : [`  headers: { ${headers.join(', ')} },`]),
    ...(body === undefined ? [] : [`  body: JSON.stringify(${indented(JSON.stringify(body, null, 2))}),`]),
  ];
  const call = options.length === 0 ? `fetch('${url}')` : `fetch('${url}', {\n${options.join('\n')}\n})`;
  return `const reply = await ${call};\nconsole.log(reply.status, await reply.${asText ? 'text' : 'json'}());`;
}

function python({ url, method, body, hasToken }: Call): string {
  const headers = [
    ...(hasToken ? [`"Authorization": f"Bearer {os.environ['PIPELINE_API_TOKEN']}"`] : []),
    ...(body === undefined ? [] : ['"Content-Type": "application/json"']),
  ];
  const options = [
    `    "${url}",`,
    `    method="${method}",`,
    ...(headers.length === 0 ? [] : [`    headers={${headers.join(', ')}},`]),
    ...(body === undefined ? [] : [`    data=json.dumps(${pythonLiteral(body, '    ')}).encode(),`]),
  ];
  const modules = [...(body === undefined ? [] : ['json']), ...(hasToken ? ['os'] : [])];
  return [
    ...modules.map((name) => `import ${name}`),
    'import urllib.request',
    '',
    `request = urllib.request.Request(\n${options.join('\n')}\n)`,
    'with urllib.request.urlopen(request) as reply:',
    '    print(reply.status, reply.read().decode())',
  ].join('\n');
}

/** Lines after the first two blanks further right. */
function indented(text: string): string {
  return text.replaceAll('\n', '\n  ');
}

function pythonLiteral(value: unknown, indent: string): string {
  const inner = `${indent}    `;
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (Array.isArray(value)) {
    return value.length === 0
      ? '[]'
      : `[\n${value.map((each) => `${inner}${pythonLiteral(each, inner)},\n`).join('')}${indent}]`;
  }
  if (!isSchema(value)) return JSON.stringify(value);
  const fields = Object.entries(value).map(
    ([name, each]) => `${inner}${JSON.stringify(name)}: ${pythonLiteral(each, inner)},\n`,
  );
  return fields.length === 0 ? '{}' : `{\n${fields.join('')}${indent}}`;
}

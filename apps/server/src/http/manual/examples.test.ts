import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { z } from 'zod';
import { openTestApp, type TestApp, TOKEN } from '../../testing/test-app.ts';
import { type Listener, listen } from '../listen.ts';
import type { OpenApiDocument } from '../openapi/openapi-document.ts';
import { exampleBody, type OperationExamples, operationExamples } from './operation-examples.ts';
import { type ReferenceOperation, referenceSections } from './reference-page.ts';

/** Codes of a request that the route cannot read, or that no route takes. */
const MALFORMED = [
  'invalid_request',
  'invalid_json',
  'invalid_parameter',
  'unsupported_media_type',
  'method_not_allowed',
];

/** Not run: replies that do not end, and a switch that stops the other examples. */
const NOT_RUN = ['/v2/events', '/v2/admin/maintenance'];

let it: TestApp;
let listener: Listener;
let document: OpenApiDocument;
before(async () => {
  it = await openTestApp();
  listener = await listen((request, peer) => it.app.fetch(request, { peer }), { host: '127.0.0.1', port: 0 });
  document = JSON.parse(await (await it.app.request('/openapi.json')).text());
});
after(async () => {
  await listener.close();
  await it.close();
});

const operations = (): readonly ReferenceOperation[] => referenceSections(document).flatMap((each) => each.operations);

/** The examples in one language that are run. */
function examplesIn(language: keyof OperationExamples): readonly { readonly name: string; readonly code: string }[] {
  return operations().flatMap(({ method, path, operation }) => {
    const examples = operationExamples({ method, path, operation, origin: listener.url });
    if (examples === null || NOT_RUN.includes(path)) return [];
    return [{ name: `${method} ${path}`, code: examples[language] }];
  });
}

/** What each example printed: a status, then the body. */
function checkPrinted(printed: ReadonlyMap<string, string>): void {
  assert.ok(printed.size > 90, `${printed.size} examples`);
  const refused = [...printed].filter(([, reply]) => {
    const status = Number(/^\d{3}/.exec(reply)?.[0]);
    return !(status >= 200 && status < 500) || MALFORMED.some((code) => reply.includes(`"${code}"`));
  });
  assert.deepEqual(refused, []);
  for (const name of ['post /v2/runs', 'get /v2/runs', 'post /v1/completions', 'post /generate']) {
    assert.match(printed.get(name) ?? '', /^20[01]/, name);
  }
}

test('every operation with a JSON body has an example that its schema accepts', () => {
  for (const { method, path, operation } of operations()) {
    const content = operation.requestBody?.content['application/json'];
    if (content === undefined) continue;
    const body = exampleBody(operation);
    assert.notEqual(body, undefined, `${method} ${path} has no bodyExample`);
    const schema = readable({ ...content.schema, $defs: document.components.schemas });
    const result = z.fromJSONSchema(schema).safeParse(body);
    assert.ok(result.success, `${method} ${path}: ${result.error?.message}`);
  }
});

test('every TypeScript example runs, and no route finds its request malformed', async () => {
  const printed = new Map<string, string>();
  const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor;
  const env = { env: { PIPELINE_API_TOKEN: TOKEN } };
  for (const { name, code } of examplesIn('typescript')) {
    const lines: string[] = [];
    const log = (status: number, body: unknown): void => {
      lines.push(`${status} ${typeof body === 'string' ? body : JSON.stringify(body)}`);
    };
    await new AsyncFunction('console', 'process', code)({ log }, env);
    printed.set(name, lines.join('\n'));
  }
  checkPrinted(printed);
});

const hasCurl = spawnSync('curl', ['--version']).status === 0;
test('every curl example runs, and no route finds its request malformed', {
  skip: hasCurl ? false : 'needs curl',
}, async () => {
  const examples = examplesIn('curl');
  // Binary replies are not shown.
  const head = `curl() { command curl -w '\\n%{http_code}\\n' "$@" | tr -d '\\000'; printf '\\036'; }\n`;
  const out = await run('sh', ['-c', head + examples.map(({ code }) => code).join('\n')]);
  const replies = out.split('\u001e');
  checkPrinted(
    new Map(
      examples.map(({ name }, at) => {
        const lines = (replies[at] ?? '').trimEnd().split('\n');
        return [name, `${lines.at(-1)} ${lines.slice(0, -1).join('\n')}`];
      }),
    ),
  );
});

const hasPython = spawnSync('python3', ['--version']).status === 0;
test('every Python example runs, and no route finds its request malformed', {
  skip: hasPython ? false : 'needs python3',
}, async () => {
  const examples = examplesIn('python');
  const program = `
import contextlib, io, json, sys, urllib.error
for code in json.load(sys.stdin):
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            exec(code, {})
    except urllib.error.HTTPError as error:
        printed.write(f"{error.code} {error.read().decode()}")
    except UnicodeDecodeError:
        printed.write("200 binary")
    print(json.dumps(printed.getvalue()))
`;
  const out = await run('python3', ['-c', program], JSON.stringify(examples.map(({ code }) => code)));
  const replies: readonly string[] = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  checkPrinted(new Map(examples.map(({ name }, at) => [name, replies[at] ?? ''])));
});

/** As zod reads a schema: references to `$defs`, and no patterns with Unicode properties, which it compiles without the flag. */
function readable(schema: unknown): Parameters<typeof z.fromJSONSchema>[0] {
  const text = JSON.stringify(schema).replaceAll('#/components/schemas/', '#/$defs/');
  return JSON.parse(text, (key, value) => (key === 'pattern' && String(value).includes('\\p{') ? undefined : value));
}

async function run(command: string, words: readonly string[], input = ''): Promise<string> {
  const child = spawn(command, words, {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, PIPELINE_API_TOKEN: TOKEN, http_proxy: '', no_proxy: '127.0.0.1' },
  });
  child.stdin.end(input);
  return await text(child.stdout);
}

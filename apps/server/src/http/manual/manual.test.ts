import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openTestApp, type TestApp } from '../../testing/test-app.ts';
import { type OpenApiDocument, openApiDocument } from '../openapi/openapi-document.ts';
import { json, type Operation } from '../openapi/operation.ts';
import { openManual } from './manual.ts';
import { MANUAL_POLICY } from './manual-frame.ts';
import { addressOf, findPageOfFile, MANUAL_SECTIONS } from './manual-pages.ts';

const FOLDER = fileURLToPath(new URL('../../../../../docs', import.meta.url));

let it: TestApp;
before(async () => {
  it = await openTestApp({ manualDir: FOLDER });
});
after(() => it.close());

async function pageAt(address: string): Promise<string> {
  const reply = await it.app.request(address);
  assert.equal(reply.status, 200, address);
  return await reply.text();
}

async function servedDocument(): Promise<OpenApiDocument> {
  return JSON.parse(await pageAt('/openapi.json'));
}

/** Addresses of all pages, by the navigation of the first one. */
async function allAddresses(): Promise<readonly string[]> {
  const [, side = ''] = (await pageAt('/docs')).split('<div class="side"');
  return [...(side.split('</nav>')[0] ?? '').matchAll(/href="([^"]+)"/g)].map(([, address = '']) => address);
}

test('every file below docs is a page of the manual', async () => {
  const files = (await readdir(FOLDER, { recursive: true })).filter((name) => name.endsWith('.md'));
  assert.ok(files.length > 10);
  assert.deepEqual(
    files.map((file) => file.replaceAll('\\', '/')).filter((file) => findPageOfFile(file) === undefined),
    [],
  );
});

test('every link between pages of the manual leads to a page, and to a heading where it names one', async () => {
  const addresses = await allAddresses();
  assert.deepEqual(
    MANUAL_SECTIONS.flatMap(({ pages }) => pages.map(addressOf)).filter((address) => !addresses.includes(address)),
    [],
  );
  const pages = new Map(await Promise.all(addresses.map(async (each) => [each, await pageAt(each)] as const)));
  const broken: string[] = [];
  for (const [from, html] of pages) {
    for (const [, address = ''] of html.matchAll(/(?:href|src)="([^"]*)"/g)) {
      if (/^https?:/.test(address) || ['/', '/openapi.json'].includes(address)) continue;
      const [path = '', anchor] = address.split('#');
      if (path.startsWith('/docs/screens/')) {
        if ((await it.app.request(path)).status !== 200) broken.push(`${from}: ${address}`);
        continue;
      }
      const target = pages.get(path === '' ? from : path);
      const isFound = target !== undefined && (anchor === undefined || target.includes(`id="${anchor}"`));
      if (!isFound) broken.push(`${from}: ${address}`);
    }
  }
  assert.deepEqual(broken, []);
});

test('the reference describes every operation once, with its address in the list of all operations', async () => {
  const overview = await pageAt('/docs/reference');
  const sections = (await allAddresses()).filter((address) => address.startsWith('/docs/reference/'));
  const html = (await Promise.all(sections.map(pageAt))).join('\n');
  for (const [path, methods] of Object.entries((await servedDocument()).paths)) {
    for (const { operationId } of Object.values(methods)) {
      assert.equal(html.split(`id="${operationId}"`).length, 2, operationId);
      assert.ok(overview.includes(`#${operationId}"><code>${path}</code>`), operationId);
    }
  }
});

test('the data of a run is described by the parameters of generate', async () => {
  const html = await pageAt('/docs/reference/runs');
  for (const name of ['response_length', 'num_beams', 'top_p', 'min_p'])
    assert.ok(html.includes(`<code>${name}</code>`), name);
});

test('pages run their own script and style alone', async () => {
  const reply = await it.app.request('/docs');
  assert.match(reply.headers.get('content-type') ?? '', /^text\/html/);
  assert.equal(reply.headers.get('content-security-policy'), MANUAL_POLICY);
  assert.match(MANUAL_POLICY, /^default-src 'none'; script-src 'sha256-[\w+/=]+'; style-src 'sha256-[\w+/=]+'; /);
  for (const address of await allAddresses()) {
    const html = await pageAt(address);
    assert.equal(html.split('<script').length, 2, address);
    assert.doesNotMatch(html, /<link(?! rel="expect")|<iframe|<[^>]+ on\w+=|<[^>]+ style=|src="https?:/i, address);
  }
});

test('a page is painted after its script has run, which opens an operation and moves what follows it', async () => {
  for (const address of await allAddresses()) {
    const html = await pageAt(address);
    const [head = ''] = html.split('</head>');
    const [, expected = ''] = /<link rel="expect" href="#([\w-]+)" blocking="render">/.exec(head) ?? [];
    assert.ok(html.indexOf(` id="${expected}"`) > html.indexOf('</script>'), address);
    assert.equal(html.split(` id="${expected}"`).length, 2, address);
  }
});

test('an unknown page, section or picture is refused, and no path leaves the folder', async () => {
  for (const address of [
    '/docs/unknown',
    '/docs/reference/unknown',
    '/docs/screens/unknown.png',
    '/docs/screens/..%2Fapi.md',
  ]) {
    assert.equal((await it.app.request(address)).status, 404, address);
  }
});

test('without its folder the manual has the reference alone', async () => {
  const alone = openManual({ folder: null, document: () => openApiDocument([], '1'), origin: () => '' });
  assert.match((await alone.page(null)) ?? '', /API reference/);
  assert.equal(await alone.page('faq'), null);
  assert.equal(await alone.picture('usage-month-light-1440.png'), null);
});

test('markup in descriptions is escaped', async () => {
  const operation: Operation = {
    method: 'get',
    path: '/x',
    tag: '<b>',
    summary: '<script>alert(1)</script>',
    description: '"><img src=x>',
    security: [],
    parameters: [],
    refusal: {},
    replies: { 200: json({ description: '<i>' }, '</details>') },
  };
  const manual = openManual({ folder: null, document: () => openApiDocument([operation], '1'), origin: () => '' });
  const html = `${await manual.reference(null)}${await manual.reference('-b-')}`;
  assert.doesNotMatch(html, /<script>alert|<img|<i>|id="<b>/);
});

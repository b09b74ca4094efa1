import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib';
import { GPTJ_PIPELINE_ID, serverGetSchema } from '@gptj-cloud/protocol';
import { createLogger } from '../../telemetry/logger.ts';
import { openTestApp, type TestApp } from '../../testing/test-app.ts';
import { PAGE_OF_ACTION, PAGE_OF_LINK, PAGE_SEGMENTS } from './page-addresses.ts';
import { openSite } from './site.ts';

const HASH = 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';
const BROWSER = { accept: 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8', 'sec-fetch-mode': 'navigate' };

let folder: string;
let it: TestApp;
const logged: string[] = [];
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gptj-site-'));
  await build('site', 'one');
  const logger = createLogger(
    (line) => logged.push(line),
    () => new Date(0),
  );
  it = await openTestApp({ site: openSite(join(folder, 'site'), logger) });
});
after(async () => {
  await it.close();
  await rm(folder, { recursive: true });
});

async function build(name: string, text: string): Promise<void> {
  const script = `console.log('${text}');`;
  const site = join(folder, name);
  await mkdir(join(site, 'assets'), { recursive: true });
  await mkdir(join(site, '.vite'), { recursive: true });
  await writeFile(join(site, '.vite', 'manifest.json'), '{}');
  await writeFile(join(site, 'index.html'), `<!doctype html><script type="module" src="/assets/${text}.js"></script>`);
  await writeFile(join(site, 'favicon.svg'), '<svg/>');
  await writeFile(join(site, 'assets', `${text}.js`), script);
  await writeFile(join(site, 'assets', `${text}.js.br`), brotliCompressSync(script));
  await writeFile(join(site, 'site.json'), JSON.stringify({ style_hashes: [HASH] }));
}

/** A request without a token, as browsers send it. */
async function open(path: string, headers: Readonly<Record<string, string>> = BROWSER): Promise<Response> {
  return await it.app.request(path, { headers });
}

test('a navigation to a page gets the shell, under a policy that allows only files of this server', async () => {
  for (const segment of PAGE_SEGMENTS) {
    const reply = await open(`/${segment}`);
    assert.equal(reply.status, 200, segment);
    assert.match(await reply.text(), /assets\/one\.js/);
    assert.equal(reply.headers.get('cache-control'), 'no-cache');
    assert.equal(
      reply.headers.get('content-security-policy'),
      `default-src 'none'; script-src 'self'; style-src 'self' '${HASH}'; img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    );
  }
  assert.equal((await open('/runs/run_1/')).status, 200);
});

test('programs get the API at every address of a page', async () => {
  for (const headers of [
    {},
    { accept: '*/*' },
    { accept: 'application/json' },
    { ...BROWSER, 'sec-fetch-mode': 'cors' },
  ]) {
    const front: unknown = await (await open('/', headers)).json();
    assert.equal(Reflect.get(Object(front), 'name'), 'gptj-cloud');
    assert.equal((await open('/runs', headers)).status, 401);
  }
  assert.equal((await it.request('/runs')).status, 404);
  assert.equal((await it.app.request('/runs', { method: 'POST', headers: BROWSER })).status, 401);
});

test('addresses of the API stay its own, and no page begins with one', async () => {
  assert.equal((await open('/v2/runs')).status, 401);
  assert.equal((await open('/v2/nothing')).status, 401);
  assert.match(await (await open('/docs')).text(), /<title>/);
  const api = new Set(it.app.routes.map(({ path }) => path.split('/')[1] ?? '').filter((segment) => segment !== ''));
  assert.ok(api.has('v2') && api.has('generate'));
  assert.deepEqual(
    PAGE_SEGMENTS.filter((segment) => api.has(segment)),
    [],
  );
});

test('a navigation to an unknown address gets the shell with 404', async () => {
  const reply = await open('/nothing');
  assert.equal(reply.status, 404);
  assert.match(await reply.text(), /assets\/one\.js/);
});

test('links in mails lead to the pages of the dashboard, without a Location that drops the fragment', async () => {
  for (const [link, page] of Object.entries(PAGE_OF_LINK)) {
    for (const address of [link, `${link}/`]) {
      const reply = await open(address);
      assert.deepEqual([reply.status, reply.headers.get('location')], [302, page]);
    }
    assert.equal((await open(link, {})).status, 200, 'programs get the page of the API');
  }
});

test('an address that signs in or registers leads a person to the page for it', async () => {
  for (const [address, page] of Object.entries(PAGE_OF_ACTION)) {
    const reply = await open(address);
    assert.deepEqual([reply.status, reply.headers.get('location')], [302, page]);
    assert.ok(PAGE_SEGMENTS.includes(page.slice(1)));
    assert.equal((await open(address, {})).status, 401, 'programs get the reply of the API');
  }
});

test('assets are immutable and come compressed; an asset of another build is 404', async () => {
  const reply = await open('/assets/one.js', { 'accept-encoding': 'gzip, deflate, br, zstd' });
  assert.equal(reply.headers.get('cache-control'), 'public, max-age=31536000, immutable');
  assert.equal(reply.headers.get('content-type'), 'text/javascript; charset=utf-8');
  assert.equal(reply.headers.get('content-encoding'), 'br');
  assert.equal(reply.headers.get('vary'), 'Accept-Encoding');
  const script = "console.log('one');";
  assert.equal(brotliDecompressSync(Buffer.from(await reply.arrayBuffer())).toString(), script);
  for (const accepted of ['gzip', 'br;q=0', '']) {
    const plain = await open('/assets/one.js', { 'accept-encoding': accepted });
    assert.deepEqual([plain.headers.get('content-encoding'), await plain.text()], [null, script]);
  }
  for (const headers of [BROWSER, {}]) assert.equal((await open('/assets/gone.js', headers)).status, 404);
  for (const hidden of ['/site.json', '/.vite/manifest.json', '/assets/one.js.br', '/assets/%2e%2e/site.json']) {
    assert.notEqual((await open(hidden, {})).status, 200, hidden);
  }
});

test('a shell and a file that the browser has are 304', async () => {
  for (const path of ['/', '/favicon.svg']) {
    const etag = (await open(path)).headers.get('etag') ?? '';
    const again = await open(path, { ...BROWSER, 'if-none-match': `"other", W/${etag}` });
    assert.deepEqual([again.status, await again.text()], [304, '']);
  }
});

test('a new build is served without a restart, and the site before it while the folder is missing', async () => {
  const text = async () => await (await open('/')).text();
  await rename(join(folder, 'site'), join(folder, 'old'));
  assert.match(await text(), /one\.js/);
  await build('site', 'two');
  assert.match(await text(), /two\.js/);
  assert.equal((await open('/assets/two.js', {})).status, 200);
  await rm(join(folder, 'site'), { recursive: true });
  await build('site', 'three');
  await rm(join(folder, 'site', 'index.html'));
  assert.match(await text(), /two\.js/);
  assert.ok(logged.some((line) => line.includes('could not be read')));
  await rm(join(folder, 'site'), { recursive: true });
  await rename(join(folder, 'old'), join(folder, 'site'));
});

test('before the first build ends, pages are replaced by one that reloads, and the API answers', async () => {
  const unbuilt = await openTestApp({ site: openSite(join(folder, 'nowhere'), it.accounts.logger) });
  try {
    const reply = await unbuilt.app.request('/set-up', { headers: BROWSER });
    assert.equal(reply.status, 503);
    assert.match(await reply.text(), /The dashboard is being built/);
    assert.equal(reply.headers.get('refresh'), '2');
    assert.equal((await unbuilt.request('/v2/runs')).status, 200);
  } finally {
    await unbuilt.close();
  }
});

test('requests for the dashboard are logged at debug and counted under one label', async () => {
  it.logLines.length = 0;
  for (const path of ['/', '/runs/run_1', '/assets/one.js', '/assets/gone.js', '/v2/auth/set-up', '/v2/server'])
    await open(path);
  assert.deepEqual(
    it.logLines.map((line) => String(Reflect.get(Object(JSON.parse(line)), 'path'))),
    ['/v2/server'],
  );
  const metrics = await (await it.request('/metrics')).text();
  const labels = new Set(
    [...metrics.matchAll(/gptj_http_requests_total\{.*route="([^"]*)"/g)].map(([, route]) => route),
  );
  assert.ok(labels.has('dashboard'));
  assert.ok([...labels].every((route = '') => !route.includes('assets')));
});

test('GET /v2/server reports without a sign-in what signing in needs', async () => {
  const reply = await it.app.request('/v2/server');
  assert.equal(reply.status, 200);
  const { version, ...server } = serverGetSchema.parse(await reply.json());
  assert.match(version, /^\d+\.\d+\.\d+/);
  assert.deepEqual(server, {
    name: 'gptj-cloud',
    model: it.engine.info.modelName,
    context: it.engine.info.config.contextLength,
    models: [
      {
        name: it.engine.info.modelName,
        pipeline_id: GPTJ_PIPELINE_ID,
        context: it.engine.info.config.contextLength,
        state: 'loaded',
        progress: null,
      },
    ],
    registration: 'open',
    verify_required: false,
    mail: false,
    providers: [],
    set_up_needed: true,
    maintenance: null,
  });
});

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startLoopbackHub } from '../testing/loopback-hub.ts';
import { randomCheckpoint } from '../testing/random-checkpoint.ts';

const CHILD = fileURLToPath(new URL('../testing/pull-child.js', import.meta.url));
/** No name server knows it: only the proxy leads there. */
const HOST = 'hub.invalid';

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** A certificate of its own for `HOST`, and its key: paths of files. */
function selfSigned(folder: string): { readonly key: string; readonly cert: string } {
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const names = ['-subj', `/CN=${HOST}`, '-addext', `subjectAltName=DNS:${HOST}`];
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  execFileSync('openssl', [...request, ...names, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  return { key, cert };
}

/** A proxy whose tunnels all lead to this machine. */
async function startProxy(t: TestContext): Promise<{ readonly url: string; readonly tunnels: string[] }> {
  const tunnels: string[] = [];
  const proxy = createServer((_, response) => response.writeHead(400).end());
  proxy.on('connect', (request, socket) => {
    tunnels.push(request.url ?? '');
    const onward = connect(Number(request.url?.split(':')[1]), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      onward.pipe(socket).pipe(onward);
    });
    socket.on('error', () => onward.destroy());
    onward.on('error', () => socket.destroy());
    t.after(() => socket.destroy());
  });
  await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done));
  t.after(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  return { url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, tunnels };
}

test('pulls over TLS through the proxy that HTTPS_PROXY names, and refuses an unknown certificate', {
  skip: hasOpenssl() ? false : 'openssl is not installed',
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gptj-tls-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const { key, cert } = selfSigned(folder);
  const hub = await startLoopbackHub({
    repository: 'EleutherAI/gpt-j-6b',
    files: randomCheckpoint({ shards: 2 }),
    tls: { host: HOST, key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') },
  });
  t.after(() => hub.close());
  const { url, tunnels } = await startProxy(t);

  // Node reads trusted certificates when a process starts.
  const pull = async (trusted: Record<string, string>): Promise<readonly [status: number, output: string]> => {
    const { HTTP_PROXY: _, NO_PROXY: __, https_proxy: ___, no_proxy: ____, ...inherited } = process.env;
    const env = { ...inherited, HTTPS_PROXY: url, ...trusted };
    const child = spawn(process.execPath, [CHILD, hub.url, join(folder, 'models')], { env });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    const [status] = await once(child, 'close');
    return [status, output];
  };

  const [refused, message] = await pull({});
  assert.notEqual(refused, 0);
  assert.match(message, /the connection is refused \(.*(?:SELF_SIGNED|certificate)/i);
  assert.deepEqual([hub.hubRequests, hub.served], [[], []]);

  const [status, output] = await pull({ NODE_EXTRA_CA_CERTS: cert });
  assert.equal(status, 0, output);
  assert.match(output, /"type":"stored"/);
  assert.equal(new Set(hub.served.map(({ file }) => file)).size, 2);
  const targets = new Set(tunnels);
  assert.ok([...targets].every((target) => target.startsWith(`${HOST}:`)));
  // The hub, and the storage to which it redirects.
  assert.equal(targets.size, 2);
});

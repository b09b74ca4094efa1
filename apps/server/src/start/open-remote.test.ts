import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../config/parse-config.ts';

test('GPTJ_ENGINE=openai=URL names the base of a server, with or without /v1 at its end', () => {
  for (const [text, href] of [
    ['openai=http://gpu:8000', 'http://gpu:8000/'],
    ['openai=http://gpu:8000/v1', 'http://gpu:8000/'],
    ['openai=https://gpu.example/pool/v1/', 'https://gpu.example/pool/'],
  ] as const) {
    const { remoteEngine, engineSize } = parseConfig({ GPTJ_ENGINE: text, ENGINE_KEY: 'k' });
    assert.deepEqual([remoteEngine?.address.url.href, remoteEngine?.address.key], [href, 'k']);
    assert.equal(engineSize.kind, undefined);
  }
  assert.equal(parseConfig({ GPTJ_ENGINE: 'kernels', ENGINE_KEY: 'k' }).remoteEngine, null);
});

test('an address with a password, a query or another scheme is refused', () => {
  for (const url of ['ftp://gpu', 'gpu:8000', 'http://user:pass@gpu', 'http://gpu/?a=1', '', 'file:///etc/passwd'])
    assert.throws(
      () => parseConfig({ GPTJ_ENGINE: `openai=${url}` }),
      /^ConfigError: GPTJ_ENGINE: expected auto, .* or openai=URL with (?!.*user:pass)/,
      url,
    );
});

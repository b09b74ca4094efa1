import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseModelAddress } from './model-address.ts';

const hub = (repository: string, revision: string, endpoint: string | null = null) => ({
  kind: 'hub',
  endpoint,
  repository,
  revision,
});

test('a short name is the float16 branch of EleutherAI, and another one after @', () => {
  assert.deepEqual(parseModelAddress('gpt-j-6b'), hub('EleutherAI/gpt-j-6b', 'float16'));
  assert.deepEqual(parseModelAddress('GPT-J-6B@sharded'), hub('EleutherAI/gpt-j-6b', 'sharded'));
});

test('a repository is its main branch, or a branch, commit or reference', () => {
  assert.deepEqual(parseModelAddress('nomic-ai/gpt4all-j'), hub('nomic-ai/gpt4all-j', 'main'));
  assert.deepEqual(parseModelAddress('a/b@refs/pr/40'), hub('a/b', 'refs/pr/40'));
});

test('the pages and files of a hub are its repository at that revision', () => {
  const origin = 'https://hub.example';
  assert.deepEqual(parseModelAddress(`${origin}/a/b`), hub('a/b', 'main', origin));
  assert.deepEqual(parseModelAddress(`${origin}/a/b/tree/refs%2Fpr%2F1`), hub('a/b', 'refs/pr/1', origin));
  assert.deepEqual(parseModelAddress(`${origin}/a/b/blob/v1/config.json`), hub('a/b', 'v1', origin));
  assert.deepEqual(parseModelAddress(`${origin}/a/b/resolve/v1/pytorch_model.bin`), hub('a/b', 'v1', origin));
});

test('a model file of any server is a file, also one of a hub', () => {
  const file = (url: string) => ({ kind: 'file', url });
  assert.deepEqual(parseModelAddress('https://a.example/x.gguf?k=1'), file('https://a.example/x.gguf?k=1'));
  assert.deepEqual(
    parseModelAddress('https://a.example/o/n/blob/main/x.gguf'),
    file('https://a.example/o/n/resolve/main/x.gguf'),
  );
});

test('a path begins with a dot or a slash', () => {
  for (const path of ['./gpt-j-6b', '../x', '/models/x']) {
    assert.deepEqual(parseModelAddress(path), { kind: 'path', path });
  }
});

test('refuses other schemes, passwords in addresses, and names that could leave a folder', () => {
  const refused = (text: string, message: RegExp): void =>
    assert.throws(() => parseModelAddress(text), { code: 'address_invalid', message });
  refused('file:///etc/passwd', /an address that begins with https/);
  refused('https://user:secret@hub.example/a/b', /an address without a password; HF_TOKEN/);
  refused('https://', /a valid address/);
  refused('a/b@../../etc', /the name of a branch/);
  refused('a/b@-x', /the name of a branch/);
  refused('gpt-3', /gpt-j-6b, OWNER\/NAME/);
  assert.doesNotMatch(String(thrownBy('https://user:secret@hub.example/a/b')), /secret/);
});

function thrownBy(text: string): unknown {
  try {
    return parseModelAddress(text);
  } catch (error) {
    return error;
  }
}

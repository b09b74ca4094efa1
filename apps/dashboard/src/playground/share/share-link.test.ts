import assert from 'node:assert/strict';
import { test } from 'node:test';
import { packShared, ShareLinkError, unpackShared } from './share-link.ts';

const SHARED = {
  passages: [
    { kind: 'typed', text: 'I met a “traveller” 😀\n' },
    { kind: 'generated', text: ' from مرحبا' },
  ],
  parameters: { temperature: 0.7, stop_strings: ['\n'] },
} as const;

test('a text comes out of its link as it went in, with its parameters', async () => {
  const packed = await packShared(SHARED);
  assert.match(packed, /^[\w-]+$/);
  assert.deepEqual(await unpackShared(packed), SHARED);
});

test('damaged links are refused with a sentence, wherever they are cut or changed', async () => {
  const packed = await packShared(SHARED);
  const broken = [
    '',
    'abc',
    '§',
    packed.slice(0, -4),
    packed.slice(3),
    `${packed.slice(0, 20)}AAAA${packed.slice(24)}`,
  ];
  for (const each of broken) {
    await assert.rejects(unpackShared(each), (error) => {
      assert.ok(error instanceof ShareLinkError);
      assert.match(error.message, /damaged or incomplete/);
      return true;
    });
  }
  const later = await pack([2, [], {}]);
  await assert.rejects(unpackShared(later), /another version/);
  for (const wrong of [[1, 'x', {}], [1, [['x', 'y']], {}], [1, [], []], { a: 1 }]) {
    await assert.rejects(unpackShared(await pack(wrong)), /damaged/);
  }
});

async function pack(value: unknown): Promise<string> {
  const stream = new Blob([JSON.stringify(value)]).stream().pipeThrough(new CompressionStream('deflate-raw'));
  return Buffer.from(await new Response(stream).arrayBuffer()).toString('base64url');
}

test('texts that are too long are refused when the link is made, and when it is opened', async () => {
  const noise = Array.from({ length: 60_000 }, (_, at) => String.fromCodePoint(97 + ((at * at * 7919) % 26))).join('');
  const long = { passages: [{ kind: 'typed', text: noise }], parameters: {} } as const;
  const packed = await packShared({ ...long, passages: [{ kind: 'typed', text: 'a'.repeat(500_000) }] });
  assert.equal((await unpackShared(packed)).passages[0]?.text.length, 500_000);
  const words = Array.from({ length: 20_000 }, (_, at) => ((at * 2654435761) % 2 ** 32).toString(36)).join(' ');
  await assert.rejects(packShared({ ...long, passages: [{ kind: 'typed', text: words }] }), /too long for a link/);
  await assert.rejects(unpackShared(await pack([1, [['t', 'a'.repeat(2_000_000)]], {}])), /damaged/);
});

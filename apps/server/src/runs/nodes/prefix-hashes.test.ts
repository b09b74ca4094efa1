import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashPrefixes, type PromptOfTenant } from './prefix-hashes.ts';

const prompt = Array.from({ length: 200 }, (_, i) => i);
const one: PromptOfTenant = { model: 'm', tenant: 't', prompt, adapters: [] };
const hash = (changes: Partial<PromptOfTenant> = {}, secret = 's') => hashPrefixes(secret, { ...one, ...changes });

test('prompts share the hashes of the whole blocks that they begin with', () => {
  const hashes = hash();
  assert.equal(hashes.length, 3);
  assert.deepEqual(hash({ prompt: prompt.slice(0, 63) }), []);
  const other = hash({ prompt: prompt.with(130, 7) });
  assert.deepEqual(other.slice(0, 2), hashes.slice(0, 2));
  assert.notEqual(other[2], hashes[2]);
  assert.equal(hash({ prompt: prompt.with(0, 7) }).filter((each) => hashes.includes(each)).length, 0);
  for (const each of hashes) assert.equal(BigInt.asIntN(64, BigInt(each)).toString(), each);
});

test('a prompt has at most 32 hashes', () => {
  assert.equal(hash({ prompt: Array.from({ length: 4096 }, () => 1) }).length, 32);
});

test('equal prompts of two tenants, models, sets of adapters or stores share no hash', () => {
  const all = [
    hash(),
    hash({ tenant: 'u' }),
    hash({ model: 'n' }),
    hash({ adapters: [{ name: 'a', scale: 1 }] }),
    hash({}, 'another'),
  ].flat();
  assert.equal(new Set(all).size, all.length);
  assert.deepEqual(hash({ adapters: [{ name: 'a', scale: 0 }] }), hash());
});

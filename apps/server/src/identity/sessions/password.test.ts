import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPasswordHasher } from './password.ts';

const hasher = createPasswordHasher({ n: 16, r: 1, p: 1 });

test('a hash is salted, states its costs, and matches one password', async () => {
  const [one, two] = await Promise.all([hasher.hash('Ozymandias1818'), hasher.hash('Ozymandias1818')]);
  assert.notEqual(one, two);
  assert.match(one, /^scrypt\$16\$1\$1\$[\w-]{22}\$[\w-]{43}$/);
  assert.ok(await hasher.verify('Ozymandias1818', one));
  assert.equal(await hasher.verify('Ozymandias1819', one), false);
  assert.equal(await hasher.verify('', one), false);
});

test('hashes with other costs still match', async () => {
  const old = await createPasswordHasher({ n: 32, r: 2, p: 1 }).hash('Ozymandias1818');
  assert.ok(await hasher.verify('Ozymandias1818', old));
});

test('derives the key of RFC 7914', async () => {
  // scrypt("pleaseletmein", "SodiumChloride", 16384, 8, 1), the first 32 bytes.
  const key = Buffer.from('7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2', 'hex').toString(
    'base64url',
  );
  const salt = Buffer.from('SodiumChloride').toString('base64url');
  assert.ok(await hasher.verify('pleaseletmein', `scrypt$16384$8$1$${salt}$${key}`));
});

test('composed and decomposed letters are the same password', async () => {
  const hash = await hasher.hash('Caf\u00e9Caf\u00e91');
  assert.ok(await hasher.verify('Cafe\u0301Cafe\u03011', hash));
});

test('null matches no password; an unreadable hash throws', async () => {
  assert.equal(await hasher.verify('', null), false);
  assert.equal(await hasher.verify('Ozymandias1818', null), false);
  await assert.rejects(hasher.verify('x', 'plain text'), /expected a stored password hash/);
});

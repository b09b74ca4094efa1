import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listSettings } from './listed-settings.ts';
import { settingsSchema } from './settings.ts';

test('lists every setting as it was given, by option or variable', () => {
  const listed = listSettings({ PORT: '9000', HOST: ' ::1 ', WEBHOOK_TIMEOUT_SECONDS: '5' }, { port: 9001 });
  assert.deepEqual(
    listed.map(({ name }) => name),
    Object.keys(settingsSchema.shape),
  );
  const settingOf = (name: string) => listed.find((each) => each.name === name);
  assert.equal(settingOf('PORT')?.value, '9001');
  assert.equal(settingOf('HOST')?.value, '::1');
  assert.equal(settingOf('WEBHOOK_TIMEOUT_SECONDS')?.value, '5');
  const { value, is_set: isSet, default: shown, group } = settingOf('MAX_REQUESTS') ?? assert.fail();
  assert.deepEqual([value, isSet, shown, group], [null, false, '`2048`', 'Load']);
});

test('lists no secret, whatever variable holds it', () => {
  const secrets = Object.keys(settingsSchema.shape).filter((name) =>
    /TOKEN(?!S)|PASSWORD(?!_CHECKS)|SECRET|KEY|DATABASE_URL|SMTP_URL|HEADERS/.test(name),
  );
  assert.ok(secrets.length >= 8, secrets.join(' '));
  const listed = listSettings(Object.fromEntries(secrets.map((name) => [name, 'hush'])));
  for (const { name, value, is_set: isSet, is_secret: isSecret } of listed) {
    if (secrets.includes(name)) assert.deepEqual([value, isSet, isSecret], [null, true, true], name);
  }
  const [address] = listSettings({ PUBLIC_URL: 'https://me:hush@example.com' }).filter(({ is_set: isSet }) => isSet);
  assert.deepEqual([address?.value, address?.is_secret], [null, true]);
});

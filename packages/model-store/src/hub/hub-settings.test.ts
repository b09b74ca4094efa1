import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readHubSettings } from './hub-settings.ts';

test('an address of a hub that no request can be sent to is refused, without its password', () => {
  for (const [endpoint, message] of [
    ['hub.example', /expected an address that begins with https:\/\/, got "hub\.example"/],
    [
      'https://user:hunter2@hub.example',
      /^HF_ENDPOINT: expected an address without user and password, got one with them/,
    ],
  ] as const) {
    assert.throws(
      () => readHubSettings({ HF_ENDPOINT: endpoint }),
      (error: Error) => {
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /hunter2/);
        return true;
      },
    );
  }
  assert.equal(readHubSettings({ HF_ENDPOINT: ' https://hub.example/ ' }).endpoint, 'https://hub.example');
});

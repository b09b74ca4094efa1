import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeMisspelt } from './misspelt-settings.ts';
import { settingsSchema } from './settings.ts';

test('names a variable that is spelt nearly like a setting, and the setting', () => {
  assert.deepEqual(describeMisspelt({ MAX_RUNING_RUNS: '3', log_level: 'warn', DATADIR: '/x' }), [
    'MAX_RUNING_RUNS is no setting and has no effect; did you mean MAX_RUNNING_RUNS?',
    'log_level is no setting and has no effect; did you mean LOG_LEVEL?',
    'DATADIR is no setting and has no effect; did you mean DATA_DIR?',
  ]);
});

test('accepts the settings, variables of clients and those of other programs', () => {
  const others = [
    'PATH',
    'HOME',
    'SHELL',
    'LANG',
    'HOSTNAME',
    'POST',
    'GPTJ_DEBUG',
    'PIPELINE_API_URL',
    'NODE_OPTIONS',
  ];
  const names = [...Object.keys(settingsSchema.shape), ...others, 'OAUTH_CORP_URL', 'DATABASE_HOST', 'PGHOST'];
  assert.deepEqual(describeMisspelt(Object.fromEntries(names.map((name) => [name, '1']))), []);
});

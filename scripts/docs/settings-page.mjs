// The tables of settings in docs/operations.md, from the schemas that parse the environment.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Render one table for each group of settings. */
export async function renderSettings(root) {
  const compiled = (name) => import(pathToFileURL(join(root, name)).href);
  const [{ SETTING_GROUPS, settingDescriptions }, { settingsSchema }, { OAUTH_SETTING_ROWS }] = await Promise.all([
    compiled('apps/server/dist/config/setting.js'),
    compiled('apps/server/dist/config/settings.js'),
    compiled('apps/server/dist/config/oauth-settings.js'),
  ]);
  const rows = Object.entries(settingsSchema.shape).map(([name, schema]) => {
    const description = settingDescriptions.get(schema);
    if (description === undefined) throw new Error(`${name}: expected a description, got none`);
    return { name, ...description };
  });
  rows.push(...OAUTH_SETTING_ROWS.map((row) => ({ group: 'Accounts', ...row })));
  return SETTING_GROUPS.map((group) =>
    [
      `### ${group}`,
      '',
      '| variable | default | meaning |',
      '| --- | --- | --- |',
      ...rows
        .filter((row) => row.group === group)
        .map(({ name, shownDefault, help }) => `| \`${name}\` | ${shownDefault} | ${help} |`),
    ].join('\n'),
  ).join('\n\n');
}

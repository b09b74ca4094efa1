import type { SettingGet } from '@gptj-cloud/protocol';
import { givenSettings, type ServerOptions } from './parse-config.ts';
import { CREDENTIALS, settingDescriptions } from './setting.ts';
import { settingsSchema } from './settings.ts';

/** The settings as the server was started with them, for its owners. Secrets are left out. */
export function listSettings(
  environment: Readonly<Record<string, string | undefined>>,
  options: ServerOptions = {},
): readonly SettingGet[] {
  const given = givenSettings(environment, options);
  return Object.entries(settingsSchema.shape).map(([name, schema]) => {
    const description = settingDescriptions.get(schema);
    const text = given[name]?.trim() ?? '';
    const isSecret = (description?.isSecret ?? true) || CREDENTIALS.test(text);
    return {
      name,
      group: description?.group ?? '',
      help: description?.help ?? '',
      value: text === '' || isSecret ? null : text,
      default: description?.shownDefault ?? 'none',
      is_set: text !== '',
      is_secret: isSecret,
    };
  });
}

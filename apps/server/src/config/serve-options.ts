import { type SettingOption, settingDescriptions } from './setting.ts';
import { settingsSchema } from './settings.ts';

/** An option of `gptj serve`, which sets one environment variable. */
export interface ServeOption extends SettingOption {
  readonly variable: string;
  /** One phrase, in Markdown. */
  readonly help: string;
  readonly shownDefault: string;
  /** What is wrong with a value ("expected …, got …"); null when it is valid. */
  readonly check: (value: string) => string | null;
}

/** The options of `gptj serve`, in the order of the settings. */
export const SERVE_OPTIONS: readonly ServeOption[] = Object.entries(settingsSchema.shape).flatMap(
  ([variable, schema]): ServeOption[] => {
    const description = settingDescriptions.get(schema);
    if (description?.option === undefined) return [];
    return [
      {
        ...description.option,
        variable,
        help: description.help,
        shownDefault: description.shownDefault ?? 'none',
        check: (value) => schema.safeParse(value).error?.issues[0]?.message ?? null,
      },
    ];
  },
);

/** Variables that no option of `gptj serve` sets, in the order of the settings. */
export const OTHER_VARIABLES: readonly string[] = Object.keys(settingsSchema.shape).filter((variable) =>
  SERVE_OPTIONS.every((option) => option.variable !== variable),
);

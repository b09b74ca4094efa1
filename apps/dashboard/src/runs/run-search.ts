import { choiceIn, defined, type RawSearch, textIn } from '../ui/search-values.ts';

const RUN_TABS = ['result', 'prompt', 'parameters', 'webhooks', 'raw'] as const;

export interface RunSearch {
  readonly tab?: (typeof RUN_TABS)[number];
  /** The run that this one replays: both results are compared. */
  readonly of?: string;
}

export function readRunSearch(raw: RawSearch): RunSearch {
  return defined({ tab: choiceIn(raw, 'tab', RUN_TABS), of: textIn(raw, 'of') });
}

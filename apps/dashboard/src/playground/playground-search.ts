import { choiceIn, defined, type RawSearch, textIn } from '../ui/search-values.ts';

/** `run`: a stored run to open; `view`: how the text is shown. A shared state is in the fragment `#s=`, never sent to the server. */
export interface PlaygroundSearch {
  readonly run?: string;
  readonly view?: 'write' | 'tokens' | 'beams' | 'compare';
}

export function readPlaygroundSearch(raw: RawSearch): PlaygroundSearch {
  return defined({ run: textIn(raw, 'run'), view: choiceIn(raw, 'view', ['write', 'tokens', 'beams', 'compare']) });
}

import { choiceIn, defined, type RawSearch, textIn } from '../ui/search-values.ts';

/** Filters of the list of users. */
export interface UsersSearch {
  readonly q?: string;
  readonly role?: 'owner' | 'member';
  /** Id of a plan. */
  readonly plan?: string;
  readonly disabled?: 'yes' | 'no';
}

export function readUsersSearch(raw: RawSearch): UsersSearch {
  return defined({
    q: textIn(raw, 'q'),
    role: choiceIn(raw, 'role', ['owner', 'member']),
    plan: textIn(raw, 'plan'),
    disabled: choiceIn(raw, 'disabled', ['yes', 'no']),
  });
}

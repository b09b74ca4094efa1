import { isPartLabel } from './align-text.ts';
import { type Alternative, type Draft, emptyNode, pathOf, stepTo, withChild } from './draft.ts';
import { cutPath } from './split-node.ts';

/**
 * Go on with a token from an offset of the text on, in place of what stands there. Throws `RangeError` for an offset outside
 * the text.
 *
 * @param top what else could have come there
 */
export function takeInText(draft: Draft, offset: number, taken: Alternative, top: readonly Alternative[] = []): Draft {
  const cut = cutPath(draft, pathOf(draft), offset);
  let next = cut.draft;
  let parent = cut.position;
  if (cut.fragment !== '') {
    const added = withChild(next, { ...emptyNode('', parent, 'typed'), text: cut.fragment });
    next = added.draft;
    parent = added.id;
  }
  const text = isPartLabel(taken.label) ? '' : taken.label;
  const token = { id: taken.id, text, label: taken.label, logprob: taken.logprob, top };
  const added = withChild(next, { ...emptyNode('', parent, 'taken'), text, tokens: [token] });
  return stepTo(added.draft, added.id);
}

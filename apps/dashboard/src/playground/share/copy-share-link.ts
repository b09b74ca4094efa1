import { toast } from '../../ui/toasts.tsx';
import { type Draft, pathOf } from '../document/draft.ts';
import { packShared } from './share-link.ts';

/** Copies a link that contains the text and its parameters. */
export async function copyShareLink(draft: Draft): Promise<void> {
  const passages = pathOf(draft)
    .filter((node) => node.text !== '')
    .map(({ kind, text }) => ({ kind: kind === 'typed' ? ('typed' as const) : ('generated' as const), text }));
  try {
    const packed = await packShared({ passages, parameters: draft.parameters });
    await navigator.clipboard.writeText(new URL(`/playground#s=${packed}`, location.origin).href);
    toast('The link is copied. It contains the text and the parameters; nothing was sent to the server.');
  } catch (error) {
    toast(error instanceof Error ? error.message : 'The link could not be copied.', { tone: 'bad' });
  }
}

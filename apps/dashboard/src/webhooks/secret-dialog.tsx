import type { Webhook } from '@gptj-cloud/sdk';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { RelativeTime } from '../ui/relative-time.tsx';
import { Secret } from '../ui/secret.tsx';

/** The key of the signatures, once. Only its own button closes it, so that no slip of a key loses the value. */
export function SecretDialog({ webhook, onClose }: { readonly webhook: Webhook; readonly onClose: () => void }) {
  const { secret, previousSecretUntil } = webhook;
  return (
    <Dialog
      title="Secret of the signatures"
      isOpen
      onClose={onClose}
      canDismiss={false}
      actions={
        <Button look="primary" onPress={onClose}>
          I have copied it
        </Button>
      }
    >
      <Secret
        label="Secret of the signatures"
        value={secret ?? ''}
        note="The receiver checks with it that a message comes from this server. It is shown now, and never again."
      />
      {previousSecretUntil !== null && (
        <p>
          Until it ends <RelativeTime at={previousSecretUntil} />, the former secret signs every message as well: change
          the receiver before then.
        </p>
      )}
    </Dialog>
  );
}

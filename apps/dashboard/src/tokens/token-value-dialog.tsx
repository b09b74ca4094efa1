import type { ApiToken } from '@gptj-cloud/sdk';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { RelativeTime } from '../ui/relative-time.tsx';
import { Secret } from '../ui/secret.tsx';

/** The value of a token, once. Only its own button closes it, so that no slip of a key loses the value. */
export function TokenValueDialog({ token, onClose }: { readonly token: ApiToken; readonly onClose: () => void }) {
  return (
    <Dialog
      title={`Value of ${token.name}`}
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
        label={`Value of ${token.name}`}
        value={token.value}
        note="The server keeps only a hash of it: it is shown now, and never again."
      />
      {token.previousValueUntil !== null && token.previousValueUntil > new Date() && (
        <p>
          The former value is accepted until it ends <RelativeTime at={token.previousValueUntil} />.
        </p>
      )}
    </Dialog>
  );
}

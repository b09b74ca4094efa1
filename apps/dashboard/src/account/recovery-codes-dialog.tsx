import { useEffect, useState } from 'react';
import { Button } from '../ui/button.tsx';
import { CopyButton } from '../ui/copy.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Icon } from '../ui/icons.tsx';

/** Recovery codes, shown once. Only its own button closes it. */
export function RecoveryCodesDialog({
  codes,
  onClose,
}: {
  readonly codes: readonly string[];
  readonly onClose: () => void;
}) {
  const text = `${codes.join('\n')}\n`;
  const address = useBlobAddress(text);
  return (
    <Dialog
      title="Recovery codes"
      isOpen
      onClose={onClose}
      canDismiss={false}
      actions={
        <Button look="primary" onPress={onClose}>
          I have kept them
        </Button>
      }
    >
      <p>Each signs you in once when you do not have the authenticator app. They are shown now, and never again.</p>
      <ul className="account-codes">
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ul>
      <div className="ui-actions">
        <CopyButton text={text}>Copy all</CopyButton>
        {address !== null && (
          <a
            className="ui-button ui-button-plain ui-button-small"
            href={address}
            download="gptj-cloud-recovery-codes.txt"
          >
            <Icon name="download" />
            Download
          </a>
        )}
      </div>
    </Dialog>
  );
}

/** An address of the text in this page, which ends with the component. */
function useBlobAddress(text: string): string | null {
  const [address, setAddress] = useState<string | null>(null);
  useEffect(() => {
    const made = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
    setAddress(made);
    return () => URL.revokeObjectURL(made);
  }, [text]);
  return address;
}

import type { ApiToken } from '@gptj-cloud/sdk';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { cloud } from '../api/cloud.ts';
import { confirmed } from '../api/confirmation.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { ErrorPanel } from '../ui/error-panel.tsx';
import { type Choice, Select } from '../ui/select.tsx';

type Overlap = '0' | '3600' | '86400' | '604800';

const OVERLAPS: readonly Choice<Overlap>[] = [
  { id: '0', label: 'Ends at once', note: 'For a value that others may have seen.' },
  { id: '3600', label: 'Is accepted for an hour more' },
  { id: '86400', label: 'Is accepted for a day more' },
  { id: '604800', label: 'Is accepted for a week more' },
];

export function RotateTokenDialog({
  token,
  onClose,
  onRotated,
}: {
  readonly token: ApiToken;
  readonly onClose: () => void;
  readonly onRotated: (token: ApiToken) => void;
}) {
  const [overlap, setOverlap] = useState<Overlap>('3600');
  const rotate = useMutation({
    mutationFn: () => confirmed(() => cloud().tokens.rotate(token.id, { overlapSeconds: Number(overlap) })),
    onSuccess: onRotated,
  });
  return (
    <Dialog
      title={`Rotate ${token.name}`}
      isOpen
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>Cancel</Button>
          <Button look="primary" isPending={rotate.isPending} onPress={() => rotate.mutate()}>
            Rotate
          </Button>
        </>
      }
    >
      <p>The token gets a new value. Its name, scopes and end stay.</p>
      <Select label="The present value" value={overlap} onChange={setOverlap} choices={OVERLAPS} />
      {rotate.error !== null && <ErrorPanel error={rotate.error} />}
    </Dialog>
  );
}

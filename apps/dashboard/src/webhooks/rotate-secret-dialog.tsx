import type { Webhook } from '@gptj-cloud/sdk';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { cloud } from '../api/cloud.ts';
import { confirmed } from '../api/confirmation.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { ErrorPanel } from '../ui/error-panel.tsx';
import { type Choice, Select } from '../ui/select.tsx';

const OVERLAPS: readonly Choice<string>[] = [
  { id: '0', label: 'At once', note: 'For a secret that others know' },
  { id: '3600', label: 'In an hour' },
  { id: '86400', label: 'In a day' },
  { id: '604800', label: 'In a week' },
];

export function RotateSecretDialog({
  webhook,
  onClose,
  onRotated,
}: {
  readonly webhook: Webhook;
  readonly onClose: () => void;
  readonly onRotated: (webhook: Webhook) => void;
}) {
  const [overlap, setOverlap] = useState('86400');
  const rotate = useMutation({
    mutationFn: () => confirmed(() => cloud().webhooks.rotateSecret(webhook.id, { overlapSeconds: Number(overlap) })),
    onSuccess: onRotated,
  });
  return (
    <Dialog
      title="Rotate the secret"
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
      <p>You get another secret. Until the present one ends, messages have the signatures of both.</p>
      <Select label="The present secret ends" value={overlap} onChange={setOverlap} choices={OVERLAPS} />
      {rotate.error !== null && <ErrorPanel error={rotate.error} />}
    </Dialog>
  );
}

import type { ListedUser } from '@gptj-cloud/sdk';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { cloud } from '../api/cloud.ts';
import { confirmed } from '../api/confirmation.ts';
import { keys } from '../api/keys.ts';
import { Button, IconButton } from '../ui/button.tsx';
import { Confirm } from '../ui/confirm.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { ErrorPanel } from '../ui/error-panel.tsx';
import { Menu } from '../ui/menu.tsx';
import { Select } from '../ui/select.tsx';
import { toast } from '../ui/toasts.tsx';
import { plansQuery } from './admin-queries.ts';

type Open = 'none' | 'role' | 'plan' | 'disable' | 'delete';

/** What owners of the server do to one account. */
export function UserMenu({ user, isSelf }: { readonly user: ListedUser; readonly isSelf: boolean }) {
  const queries = useQueryClient();
  const [open, setOpen] = useState<Open>('none');
  const close = (): void => setOpen('none');
  const { id, username, role, disabled } = user;
  const nextRole = role === 'owner' ? 'member' : 'owner';
  const done = async (text: string): Promise<void> => {
    await queries.invalidateQueries({ queryKey: keys.admin });
    toast(text);
  };
  return (
    <>
      <Menu
        label={`Actions of ${username}`}
        placement="bottom end"
        trigger={<IconButton label={`Actions of ${username}`} icon="more" />}
        groups={[
          {
            entries: [
              { id: 'plan', label: 'Change the plan', icon: 'card', onAction: () => setOpen('plan') },
              {
                id: 'role',
                label: nextRole === 'owner' ? 'Make an owner' : 'Make a member',
                icon: 'shield',
                onAction: () => setOpen('role'),
              },
              {
                id: 'disable',
                label: disabled ? 'Enable' : 'Disable',
                icon: disabled ? 'done' : 'banned',
                isDisabled: isSelf,
                onAction: () => setOpen('disable'),
              },
            ],
          },
          {
            entries: [
              {
                id: 'delete',
                label: 'Delete',
                icon: 'trash',
                isDanger: true,
                isDisabled: isSelf,
                onAction: () => setOpen('delete'),
              },
            ],
          },
        ]}
      />
      {open === 'plan' && <PlanDialog user={user} onClose={close} onDone={done} />}
      {open === 'role' && (
        <Confirm
          title={nextRole === 'owner' ? `Make ${username} an owner` : `Make ${username} a member`}
          action={nextRole === 'owner' ? 'Make an owner' : 'Make a member'}
          isDanger={false}
          isOpen
          onClose={close}
          onConfirm={async () => {
            await confirmed(() => cloud().users.change(id, { role: nextRole }));
            await done(`${username} is ${nextRole === 'owner' ? 'an owner of the server' : 'a member'} now.`);
          }}
        >
          <p>
            {nextRole === 'owner'
              ? 'Owners see all users and the queue of all projects, set plans, and take backups.'
              : 'Members see their own projects alone.'}
          </p>
        </Confirm>
      )}
      {open === 'disable' && (
        <Confirm
          title={disabled ? `Enable ${username}` : `Disable ${username}`}
          action={disabled ? 'Enable' : 'Disable'}
          isDanger={!disabled}
          isOpen
          onClose={close}
          onConfirm={async () => {
            await confirmed(() => cloud().users.change(id, { disabled: !disabled }));
            await done(`${username} is ${disabled ? 'enabled' : 'disabled'}.`);
          }}
        >
          <p>
            {disabled
              ? 'Sign-in works again, and so do the tokens of the account.'
              : 'Sessions end at once, and tokens are refused. Accepted runs still end. Nothing is deleted.'}
          </p>
        </Confirm>
      )}
      {open === 'delete' && (
        <Confirm
          title={`Delete ${username}`}
          action="Delete"
          typed={username}
          isOpen
          onClose={close}
          onConfirm={async () => {
            await confirmed(() => cloud().users.delete(id));
            await done(`${username} is deleted.`);
          }}
        >
          <p>The account, its tokens, and its projects with their runs and files are deleted. Its usage stays.</p>
        </Confirm>
      )}
    </>
  );
}

function PlanDialog({
  user,
  onClose,
  onDone,
}: {
  readonly user: ListedUser;
  readonly onClose: () => void;
  readonly onDone: (text: string) => Promise<void>;
}) {
  const queries = useQueryClient();
  const plans = useQuery(plansQuery);
  const [planId, setPlanId] = useState(user.planId ?? '');
  const choices = (plans.data?.plans ?? []).map(({ id, name, description }) => ({
    id,
    label: name,
    note: description,
  }));
  const change = useMutation({
    mutationFn: () => confirmed(() => cloud().plans.change(planId, { userId: user.id })),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: keys.plans });
      await onDone(`${user.username} is on the plan ${choices.find(({ id }) => id === planId)?.label ?? planId} now.`);
      onClose();
    },
  });
  return (
    <Dialog
      title={`Plan of ${user.username}`}
      isOpen
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>Cancel</Button>
          <Button
            look="primary"
            isPending={change.isPending}
            isDisabled={planId === user.planId || choices.length === 0}
            onPress={() => change.mutate()}
          >
            Change the plan
          </Button>
        </>
      }
    >
      <Select
        label="Plan"
        value={planId}
        onChange={setPlanId}
        choices={choices}
        hint="Its limits hold from the next request on. Nothing is charged by this."
      />
      {change.error !== null && <ErrorPanel error={change.error} />}
    </Dialog>
  );
}

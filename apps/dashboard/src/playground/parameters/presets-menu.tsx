import type { Preset } from '@gptj-cloud/sdk';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { cloud } from '../../api/cloud.ts';
import { keys } from '../../api/keys.ts';
import { Button, IconButton } from '../../ui/button.tsx';
import { Confirm } from '../../ui/confirm.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { ErrorPanel } from '../../ui/error-panel.tsx';
import { Field } from '../../ui/field.tsx';
import { Menu } from '../../ui/menu.tsx';
import { toast } from '../../ui/toasts.tsx';
import type { Parameters } from './catalogue.ts';

const MAX_PRESETS = 100;

/** Parameters under a name, shared by the project: choose one, store these, change or delete the chosen one. */
export function PresetsMenu({
  parameters,
  presetId,
  onApply,
}: {
  readonly parameters: Parameters;
  /** The preset that the parameters came from; null for none. */
  readonly presetId: string | null;
  /** Null: no preset is chosen any more. */
  readonly onApply: (preset: Pick<Preset, 'id' | 'parameters' | 'prompt'> | null) => void;
}) {
  const queries = useQueryClient();
  const [dialog, setDialog] = useState<'save' | 'delete' | null>(null);
  const { data } = useQuery({
    queryKey: keys.presets,
    queryFn: ({ signal }) => cloud().presets.list({ limit: MAX_PRESETS, signal }),
  });
  const presets = data?.items ?? [];
  const chosen = presets.find(({ id }) => id === presetId);
  const renew = async (): Promise<void> => await queries.invalidateQueries({ queryKey: keys.presets });
  const change = useMutation({
    mutationFn: (id: string) => cloud().presets.change(id, { parameters }),
    onSuccess: async ({ name }) => {
      toast(`The preset ${name} has these parameters now.`);
      await renew();
    },
    onError: (error) => toast(error.message, { tone: 'bad' }),
  });
  return (
    <>
      <Menu
        label="Presets"
        placement="bottom end"
        trigger={<IconButton label="Presets" icon="star" size="small" />}
        groups={[
          {
            title: presets.length === 0 ? 'No preset in this project yet' : 'Presets of the project',
            entries: presets.map((preset) => ({
              id: preset.id,
              label: preset.name,
              ...(preset.id === presetId ? { icon: 'check' as const } : {}),
              onAction: () => onApply(preset),
            })),
          },
          {
            entries: [
              { id: 'save', label: 'Save as a preset…', icon: 'plus', onAction: () => setDialog('save') },
              ...(chosen === undefined
                ? []
                : [
                    {
                      id: 'change',
                      label: `Change ${chosen.name} to these`,
                      icon: 'pen' as const,
                      onAction: () => change.mutate(chosen.id),
                    },
                    {
                      id: 'delete',
                      label: `Delete ${chosen.name}…`,
                      icon: 'trash' as const,
                      isDanger: true,
                      onAction: () => setDialog('delete'),
                    },
                  ]),
            ],
          },
        ]}
      />
      {dialog === 'save' && (
        <SaveDialog
          parameters={parameters}
          onClose={() => setDialog(null)}
          onSaved={async (preset) => {
            setDialog(null);
            onApply(preset);
            await renew();
          }}
        />
      )}
      {chosen !== undefined && (
        <Confirm
          title={`Delete the preset ${chosen.name}?`}
          action="Delete"
          isOpen={dialog === 'delete'}
          onClose={() => setDialog(null)}
          onConfirm={async () => {
            await cloud().presets.delete(chosen.id);
            onApply(null);
            await renew();
          }}
        >
          The members of the project lose it. Drafts and runs keep their parameters.
        </Confirm>
      )}
    </>
  );
}

function SaveDialog({
  parameters,
  onClose,
  onSaved,
}: {
  readonly parameters: Parameters;
  readonly onClose: () => void;
  readonly onSaved: (preset: Preset) => Promise<void>;
}) {
  const [name, setName] = useState('');
  const save = useMutation({
    mutationFn: () => cloud().presets.create({ name: name.trim(), parameters }),
    onSuccess: onSaved,
  });
  return (
    <Dialog
      title="Save as a preset"
      isOpen
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>Cancel</Button>
          <Button
            look="primary"
            isPending={save.isPending}
            isDisabled={name.trim() === ''}
            onPress={() => save.mutate()}
          >
            Save
          </Button>
        </>
      }
    >
      <Field
        label="Name"
        value={name}
        onChange={setName}
        autoFocus
        onKeyDown={(event) => {
          if (event.key === 'Enter' && name.trim() !== '') save.mutate();
        }}
        hint="All members of the project see it."
      />
      {save.error !== null && <ErrorPanel error={save.error} />}
    </Dialog>
  );
}

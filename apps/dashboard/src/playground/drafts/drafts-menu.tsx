import { memo, useState } from 'react';
import { Button } from '../../ui/button.tsx';
import { Confirm } from '../../ui/confirm.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Field } from '../../ui/field.tsx';
import { formatRelative } from '../../ui/formats.ts';
import { Menu } from '../../ui/menu.tsx';
import type { PlaygroundStore } from '../store/playground-store.ts';
import type { DraftEntry } from './draft-shelf.ts';

const MAX_LISTED = 30;

/** The drafts of this browser: open, name, begin, delete. */
export const DraftsMenu = memo(function DraftsMenu({
  store,
  draftId,
  title,
}: {
  readonly store: PlaygroundStore;
  readonly draftId: string;
  readonly title: string;
}) {
  const [entries, setEntries] = useState<readonly DraftEntry[]>([]);
  const [asked, setAsked] = useState<'name' | 'delete' | null>(null);
  const [name, setName] = useState('');
  const list = async (): Promise<void> => {
    await store.flush();
    setEntries((await store.drafts()).slice(0, MAX_LISTED));
  };
  return (
    <>
      <Menu
        label="Drafts"
        trigger={
          <Button look="quiet" size="small" icon="down" onPress={() => void list()}>
            <span className="playground-title ui-cut">{title}</span>
          </Button>
        }
        groups={[
          {
            entries: [
              { id: 'new', label: 'New draft', icon: 'plus', onAction: () => void store.openNew() },
              {
                id: 'name',
                label: 'Name this draft',
                icon: 'pen',
                onAction: () => {
                  setName(store.get().draft.name ?? '');
                  setAsked('name');
                },
              },
              {
                id: 'delete',
                label: 'Delete this draft',
                icon: 'trash',
                isDanger: true,
                onAction: () => setAsked('delete'),
              },
            ],
          },
          {
            title: 'In this browser',
            entries: entries
              .filter(({ id }) => id !== draftId)
              .map((entry) => ({
                id: entry.id,
                label: entry.title,
                note: formatRelative(new Date(entry.savedAtMs), new Date()),
                onAction: () => void store.open(entry.id),
              })),
          },
        ]}
      />
      <Dialog
        title="Name this draft"
        isOpen={asked === 'name'}
        onClose={() => setAsked(null)}
        actions={
          <Button
            look="primary"
            onPress={() => {
              store.renameDraft(name.trim() === '' ? null : name.trim());
              setAsked(null);
            }}
          >
            Save
          </Button>
        }
      >
        <Field
          label="Name"
          value={name}
          onChange={setName}
          maxLength={80}
          hint="Without a name the draft is listed by the start of its text."
        />
      </Dialog>
      <Confirm
        title="Delete this draft?"
        action="Delete"
        isOpen={asked === 'delete'}
        onClose={() => setAsked(null)}
        onConfirm={async () => await store.removeDraft(draftId)}
      >
        The text and all of its branches are removed from this browser. Its runs stay on the Runs page.
      </Confirm>
    </>
  );
});

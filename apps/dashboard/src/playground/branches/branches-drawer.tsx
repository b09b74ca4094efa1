import { useState } from 'react';
import { Button, IconButton } from '../../ui/button.tsx';
import { Confirm } from '../../ui/confirm.tsx';
import { Dialog, Sheet } from '../../ui/dialog.tsx';
import { Field } from '../../ui/field.tsx';
import { formatDigits } from '../../ui/formats.ts';
import { Icon } from '../../ui/icons.tsx';
import { Menu } from '../../ui/menu.tsx';
import { Tree, type TreeNode } from '../../ui/tree.tsx';
import type { Draft, NodeId } from '../document/draft.ts';
import { rowOf, starredRows, type TreeRow, treeRows } from '../document/tree-rows.ts';
import type { PlaygroundStore } from '../store/playground-store.ts';

/** Every text that the draft has been: go to one, star it, name it, show it alone, delete it. */
export function BranchesDrawer({
  store,
  draft,
  onClose,
}: {
  readonly store: PlaygroundStore;
  readonly draft: Draft;
  readonly onClose: () => void;
}) {
  const all = treeRows(draft);
  const starred = starredRows(all);
  /** The branch that is shown without the others. */
  const [hoisted, setHoisted] = useState<NodeId | null>(null);
  const root = hoisted === null ? null : rowOf(all, hoisted);
  const rows = root === null ? all : [root];
  const [asked, setAsked] = useState<{ readonly row: TreeRow; readonly what: 'name' | 'delete' } | null>(null);
  const [name, setName] = useState('');
  const here = hereOf(rows);
  const row = (node: TreeNode<TreeRow>) => (
    <Row
      row={node.value}
      onStar={(isOn) => store.star(node.id, isOn)}
      onName={() => {
        setName(node.value.name ?? '');
        setAsked({ row: node.value, what: 'name' });
      }}
      onHoist={() => setHoisted(node.value.first)}
      onDelete={() => setAsked({ row: node.value, what: 'delete' })}
    />
  );
  return (
    <Sheet title="Branches" isOpen onClose={onClose}>
      <p className="ui-muted">
        Nothing that was written is lost: every edit and every continuation is a branch, until you delete it.
      </p>
      {starred.length > 0 && (
        <section aria-label="Bookmarks">
          <h3>Bookmarks</h3>
          <ul className="playground-bookmarks">
            {starred.map((each) => (
              <li key={each.id}>
                <Button size="small" look="quiet" icon="star" onPress={() => store.goTo(each.id)}>
                  <span className="ui-cut">{each.name ?? each.text}</span>
                </Button>
              </li>
            ))}
          </ul>
        </section>
      )}
      {root !== null && (
        <p>
          Only this branch is shown.{' '}
          <Button size="small" onPress={() => setHoisted(null)}>
            Show all branches
          </Button>
        </p>
      )}
      {rows.length === 0 ? (
        <p>The draft is empty. Write something, or generate, and it appears here.</p>
      ) : (
        <Tree
          // Rows that a fork has added are open as well.
          key={`${hoisted}-${draft.nodes.size}`}
          label="Branches"
          nodes={rows.map(nodeOf)}
          selected={here?.id ?? null}
          onOpen={store.goTo}
        >
          {row}
        </Tree>
      )}
      <Dialog
        title="Name this branch"
        isOpen={asked?.what === 'name'}
        onClose={() => setAsked(null)}
        actions={
          <Button
            look="primary"
            onPress={() => {
              if (asked !== null) store.rename(asked.row.id, name.trim() === '' ? null : name.trim());
              setAsked(null);
            }}
          >
            Save
          </Button>
        }
      >
        <Field label="Name" value={name} onChange={setName} maxLength={80} autoFocus />
      </Dialog>
      <Confirm
        title="Delete this branch?"
        action="Delete"
        isOpen={asked?.what === 'delete'}
        onClose={() => setAsked(null)}
        onConfirm={async () => {
          if (asked !== null) store.remove(asked.row.first);
          setAsked(null);
        }}
      >
        “{asked?.row.text}” and everything below it are removed. This cannot be undone.
      </Confirm>
    </Sheet>
  );
}

function Row({
  row,
  onStar,
  onName,
  onHoist,
  onDelete,
}: {
  readonly row: TreeRow;
  readonly onStar: (isOn: boolean) => void;
  readonly onName: () => void;
  readonly onHoist: () => void;
  readonly onDelete: () => void;
}) {
  return (
    <>
      <span className={`playground-branch ui-cut${row.isOnPath ? '' : ' ui-muted'}`}>
        {row.isStarred && <Icon name="star" size={12} />}
        {row.name !== null && <strong>{row.name} </strong>}
        <span className={row.isGenerated ? 'playground-text-generated' : ''}>
          {row.text === '' ? '(empty)' : row.text}
        </span>
        {row.isHere && <span className="ui-hidden"> (here)</span>}
      </span>
      {row.mean !== null && (
        <span className="playground-ways" title="Mean log-probability of its tokens">
          {formatDigits(row.mean, 2)} nat
        </span>
      )}
      {row.children.length > 1 && <span className="playground-ways">{row.children.length} branches</span>}
      <Menu
        label="Actions of this branch"
        placement="bottom end"
        trigger={<IconButton label="Actions" icon="more" size="small" />}
        groups={[
          {
            entries: [
              {
                id: 'star',
                label: row.isStarred ? 'Remove the bookmark' : 'Bookmark',
                icon: 'star',
                onAction: () => onStar(!row.isStarred),
              },
              { id: 'name', label: 'Name', icon: 'pen', onAction: onName },
              { id: 'hoist', label: 'Show this branch alone', icon: 'branch', onAction: onHoist },
              { id: 'delete', label: 'Delete', icon: 'trash', isDanger: true, onAction: onDelete },
            ],
          },
        ]}
      />
    </>
  );
}

function nodeOf(row: TreeRow): TreeNode<TreeRow> {
  return { id: row.id, text: row.name ?? row.text, value: row, children: row.children.map(nodeOf) };
}

function hereOf(rows: readonly TreeRow[]): TreeRow | null {
  for (const row of rows) {
    const found = row.isHere ? row : hereOf(row.children);
    if (found !== null) return found;
  }
  return null;
}

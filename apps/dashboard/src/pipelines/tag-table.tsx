import type { Pipeline, PipelineTag } from '@gptj-cloud/sdk';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { cloud } from '../api/cloud.ts';
import { IconButton } from '../ui/button.tsx';
import { Confirm } from '../ui/confirm.tsx';
import { CopyButton } from '../ui/copy.tsx';
import { DataTable, type TableColumn } from '../ui/data-table.tsx';
import { Menu } from '../ui/menu.tsx';
import { Pager } from '../ui/pager.tsx';
import { EmptyState, QueryView, Skeleton } from '../ui/states.tsx';
import { toast } from '../ui/toasts.tsx';
import { MoveTagDialog } from './move-tag-dialog.tsx';
import { TAGS_KEY, TAGS_PER_PAGE, tagsQuery } from './pipeline-queries.ts';

type Open = { readonly kind: 'none' } | { readonly kind: 'move' | 'delete'; readonly tag: PipelineTag };

const NONE: Open = { kind: 'none' };

/** The tags that members of the project have made. */
export function TagTable({ pipelines }: { readonly pipelines: readonly Pipeline[] }) {
  const queries = useQueryClient();
  const [skip, setSkip] = useState(0);
  const [open, setOpen] = useState<Open>(NONE);
  const tags = useQuery(tagsQuery(skip));
  const close = (): void => setOpen(NONE);
  const columns: readonly TableColumn<PipelineTag>[] = [
    {
      id: 'name',
      name: 'Tag',
      isTitle: true,
      cell: ({ name }) => (
        <span className="pipelines-tag">
          <code>{name}</code>
          <CopyButton text={name} label={`Copy ${name}`} />
        </span>
      ),
    },
    {
      id: 'pipeline',
      name: 'Pipeline',
      cell: ({ pipelineId }) =>
        pipelines.find(({ id }) => id === pipelineId)?.name ?? <code className="ui-cut">{pipelineId}</code>,
    },
    {
      id: 'actions',
      name: '',
      width: '3.5rem',
      align: 'end',
      cell: (tag) => (
        <Menu
          label={`Actions of ${tag.name}`}
          placement="bottom end"
          trigger={<IconButton label={`Actions of ${tag.name}`} icon="more" />}
          groups={[
            {
              entries: [
                { id: 'move', label: 'Move', icon: 'right', onAction: () => setOpen({ kind: 'move', tag }) },
                {
                  id: 'delete',
                  label: 'Delete',
                  icon: 'trash',
                  isDanger: true,
                  onAction: () => setOpen({ kind: 'delete', tag }),
                },
              ],
            },
          ]}
        />
      ),
    },
  ];
  return (
    <>
      <QueryView query={tags} skeleton={<Skeleton rows={3} height="2.75rem" />}>
        {({ items, total }) => (
          <>
            <DataTable
              label="Tags"
              columns={columns}
              items={items}
              idOf={({ id }) => id}
              empty={<EmptyState text="No tag yet. A tag is a name of your own for a pipeline, such as poems:v1." />}
            />
            <Pager label="Pages of tags" skip={skip} limit={TAGS_PER_PAGE} total={total} onSkip={setSkip} />
          </>
        )}
      </QueryView>
      {open.kind === 'move' && <MoveTagDialog tag={open.tag} pipelines={pipelines} onClose={close} />}
      {open.kind === 'delete' && (
        <Confirm
          title={`Delete ${open.tag.name}`}
          action="Delete"
          isOpen
          onClose={close}
          onConfirm={async () => {
            await cloud().tags.delete(open.tag.id);
            await queries.invalidateQueries({ queryKey: TAGS_KEY });
            toast(`${open.tag.name} is deleted.`);
          }}
        >
          <p>Runs that name it are refused from then on. Runs that have ended stay.</p>
        </Confirm>
      )}
    </>
  );
}

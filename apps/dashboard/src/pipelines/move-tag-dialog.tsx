import type { Pipeline, PipelineTag } from '@gptj-cloud/sdk';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { cloud } from '../api/cloud.ts';
import { ErrorPanel } from '../ui/error-panel.tsx';
import { FormDialog } from '../ui/form-dialog.tsx';
import { Select } from '../ui/select.tsx';
import { toast } from '../ui/toasts.tsx';
import { TAGS_KEY } from './pipeline-queries.ts';

export function MoveTagDialog({
  tag,
  pipelines,
  onClose,
}: {
  readonly tag: PipelineTag;
  readonly pipelines: readonly Pipeline[];
  readonly onClose: () => void;
}) {
  const queries = useQueryClient();
  const [target, setTarget] = useState(tag.pipelineId);
  const move = useMutation({
    mutationFn: () => cloud().tags.move(tag.id, target),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: TAGS_KEY });
      toast(`${tag.name} is moved.`);
      onClose();
    },
  });
  const isOnly = pipelines.every(({ id }) => id === tag.pipelineId);
  return (
    <FormDialog
      title={`Move ${tag.name}`}
      action="Move"
      canSend={target !== tag.pipelineId}
      isPending={move.isPending}
      onSend={() => move.mutate()}
      onClose={onClose}
    >
      <Select
        label="Pipeline"
        value={target}
        onChange={setTarget}
        choices={pipelines.map(({ id, name }) => ({ id, label: name, note: id }))}
        hint={
          isOnly
            ? 'This server has no other pipeline yet.'
            : 'Runs that name the tag use this pipeline from their next request on.'
        }
      />
      {move.error !== null && <ErrorPanel error={move.error} />}
    </FormDialog>
  );
}

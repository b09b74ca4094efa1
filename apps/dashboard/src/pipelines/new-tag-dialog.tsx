import type { Pipeline } from '@gptj-cloud/sdk';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { cloud } from '../api/cloud.ts';
import { Button } from '../ui/button.tsx';
import { ErrorPanel } from '../ui/error-panel.tsx';
import { Field } from '../ui/field.tsx';
import { FormDialog } from '../ui/form-dialog.tsx';
import { fieldErrorsOf, problemOf } from '../ui/problem.ts';
import { Select } from '../ui/select.tsx';
import { toast } from '../ui/toasts.tsx';
import { TAGS_KEY } from './pipeline-queries.ts';

export function NewTagDialog({
  pipelines,
  onClose,
}: {
  readonly pipelines: readonly Pipeline[];
  readonly onClose: () => void;
}) {
  const queries = useQueryClient();
  const [name, setName] = useState('');
  const [chosen, setChosen] = useState<string | null>(null);
  const pipeline = chosen ?? pipelines[0]?.id ?? '';
  const done = async (text: string): Promise<void> => {
    await queries.invalidateQueries({ queryKey: TAGS_KEY });
    toast(text);
    onClose();
  };
  const create = useMutation({
    mutationFn: () => cloud().tags.create({ name: name.trim(), pipeline }),
    onSuccess: (tag) => done(`${tag.name} is a name of the pipeline now.`),
  });
  const moveHere = useMutation({
    mutationFn: async () => {
      const tag = await cloud().tags.getByName(name.trim());
      return await cloud().tags.move(tag.id, pipeline);
    },
    onSuccess: (tag) => done(`${tag.name} is moved.`),
  });
  const error = moveHere.error ?? create.error;
  const fieldError = fieldErrorsOf(create.error).name;
  const isTaken = create.error !== null && problemOf(create.error).code === 'tag_taken';
  return (
    <FormDialog
      title="New tag"
      action="Create"
      canSend={name.trim() !== '' && pipeline !== ''}
      isPending={create.isPending}
      onSend={() => create.mutate()}
      onClose={onClose}
    >
      <Field
        label="Tag"
        hint="A name, a colon and a version: poems:v1. Runs take it in place of the pipeline's id."
        value={name}
        onChange={(value) => {
          setName(value);
          create.reset();
        }}
        error={fieldError}
        maxLength={256}
        isMono
        isRequired
        autoFocus
        autoComplete="off"
      />
      <Select
        label="Pipeline"
        value={pipeline}
        onChange={setChosen}
        choices={pipelines.map(({ id, name: label }) => ({ id, label, note: id }))}
      />
      {error !== null && fieldError === undefined && (
        <ErrorPanel error={error}>
          {isTaken && (
            <Button size="small" isPending={moveHere.isPending} onPress={() => moveHere.mutate()}>
              Move it here
            </Button>
          )}
        </ErrorPanel>
      )}
    </FormDialog>
  );
}

import { useQuery } from '@tanstack/react-query';
import { serverQuery } from '../../api/server.ts';
import { Select } from '../../ui/select.tsx';
import { type ChosenModel, useChosenModel } from '../model/chosen-model.ts';

/** Chooses the model of one column, where the server has several. */
export function ColumnModel({
  letter,
  model,
  onChange,
}: {
  readonly letter: string;
  /** Null: that of the playground. */
  readonly model: ChosenModel | null;
  readonly onChange: (model: ChosenModel | null) => void;
}) {
  const chosen = useChosenModel();
  const { data: server } = useQuery(serverQuery);
  const models = server?.models ?? [];
  if (models.length < 2) return null;
  return (
    <Select
      label={`Model of ${letter}`}
      isLabelHidden
      size="small"
      value={model?.name ?? chosen?.name ?? models[0]?.name ?? ''}
      onChange={(name) => onChange(models.find((each) => each.name === name) ?? null)}
      choices={models.map(({ name }) => ({ id: name, label: name }))}
    />
  );
}

import { lazy, Suspense } from 'react';
import { Sheet } from '../../ui/dialog.tsx';
import type { Parameters } from '../document/draft.ts';

const Form = lazy(() => import('./column-form.tsx').then((parts) => ({ default: parts.ColumnForm })));

/** The parameters of one column. The form contains the server's code for parameters, so it is loaded when it is opened. */
export function ColumnParameters({
  title,
  parameters,
  onChange,
  onClose,
}: {
  readonly title: string;
  readonly parameters: Parameters;
  readonly onChange: (parameters: Parameters) => void;
  readonly onClose: () => void;
}) {
  return (
    <Sheet title={title} isOpen onClose={onClose}>
      <Suspense fallback={null}>
        <Form parameters={parameters} onChange={onChange} />
      </Suspense>
    </Sheet>
  );
}

import type { Run } from '@gptj-cloud/sdk';
import { useQuery } from '@tanstack/react-query';
import { type CodeTab, CopyCode } from '../ui/copy-code.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { SNIPPET_LANGUAGES, snippet } from '../ui/snippets.ts';
import { QueryView } from '../ui/states.tsx';
import { inputQuery } from './run-input.ts';

/** The run as a program that gives the same text. */
export function CodeDialog({ run, onClose }: { readonly run: Run; readonly onClose: () => void }) {
  const input = useQuery(inputQuery(run.id));
  return (
    <Dialog title="This run as a program" isOpen onClose={onClose}>
      <QueryView query={input}>
        {({ prompt, parameters }) => {
          const seed = run.seed === null ? {} : { seed: run.seed };
          const program = {
            url: window.location.origin,
            token: null,
            pipelineId: run.pipeline.id,
            prompt,
            parameters: { ...parameters, ...seed },
          };
          const [first, ...others] = SNIPPET_LANGUAGES.map(
            ({ id, label }): CodeTab => ({ id, label, code: snippet(id, program).trimEnd() }),
          );
          return first === undefined ? null : <CopyCode tabs={[first, ...others]} />;
        }}
      </QueryView>
    </Dialog>
  );
}

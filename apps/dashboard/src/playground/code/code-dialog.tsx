import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { CopyCode } from '../../ui/copy-code.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { ErrorPanel } from '../../ui/error-panel.tsx';
import { SNIPPET_LANGUAGES, snippet } from '../../ui/snippets.ts';
import { type Draft, nodeOf, type Parameters } from '../document/draft.ts';
import { type Prompt, promptOf } from '../document/prompt.ts';
import { promptOfRun } from '../document/run-tokens.ts';
import { chosenPipeline } from '../model/chosen-model.ts';
import { promptData } from '../store/browser-playground.ts';

/** Programs that send the run of the last continuation again, or the next one. */
export function CodeDialog({ draft, onClose }: { readonly draft: Draft; readonly onClose: () => void }) {
  const { prompt, parameters, isRepeat } = requestOf(draft);
  const [language, setLanguage] = useState('python');
  const { data, error, refetch } = useQuery({
    queryKey: ['tokenized', prompt, parameters.split_special_tokens],
    queryFn: async () => await promptData(prompt, parameters),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const [first, ...others] = SNIPPET_LANGUAGES.map(({ id, label }) => ({
    id,
    label,
    code:
      data === undefined
        ? ''
        : snippet(id, { url: location.origin, token: null, pipelineId: chosenPipeline(), prompt: data, parameters }),
  }));
  return (
    <Dialog title="Code" wide isOpen onClose={onClose}>
      <p>
        {isRepeat
          ? 'This program repeats the last continuation: the same prompt, parameters and seed.'
          : 'This program sends what Generate would send.'}{' '}
        It reads an API token from the variable <code>PIPELINE_API_TOKEN</code>.
      </p>
      {error !== null && <ErrorPanel error={error} onRetry={() => void refetch()} />}
      {first !== undefined && error === null && (
        <CopyCode tabs={[first, ...others]} selected={language} onSelect={setLanguage} />
      )}
    </Dialog>
  );
}

function requestOf(draft: Draft): { prompt: Prompt; parameters: Parameters; isRepeat: boolean } {
  const node = nodeOf(draft, draft.here);
  const { run } = node;
  if (run === null) return { prompt: promptOf(draft), parameters: trimmed(draft.parameters), isRepeat: false };
  return { prompt: promptOfRun(draft, node), parameters: trimmed(run.parameters), isRepeat: true };
}

/** The playground cuts stop strings, and the program must. */
function trimmed(parameters: Parameters): Parameters {
  return parameters.stop_strings === undefined ? parameters : { trim_stop: true, ...parameters };
}

import type { BeamCandidate } from '@gptj-cloud/sdk';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useDeferredValue, useMemo, useState } from 'react';
import { cloud } from '../../api/cloud.ts';
import { keys } from '../../api/keys.ts';
import { Button } from '../../ui/button.tsx';
import { formatCount } from '../../ui/formats.ts';
import { EmptyState, QueryView, Skeleton } from '../../ui/states.tsx';
import { Checkbox } from '../../ui/switch.tsx';
import { type DraftNode, nodeOf, pathOf } from '../document/draft.ts';
import { firstOf } from '../document/generation.ts';
import { takePath } from '../document/take-path.ts';
import type { PlaygroundState, PlaygroundStore } from '../store/playground-store.ts';
import { BeamCanvas } from './beam-canvas.tsx';
import { type BeamNode, type BeamSource, type BeamTree, beamTree, pathTo, sourceOfResult } from './beam-tree.ts';
import './beams.css';

/** The beam search of the text's last generation as a tree: live while it goes on, then from its result. */
export function BeamsView({ store, state }: { readonly store: PlaygroundStore; readonly state: PlaygroundState }) {
  const { draft, search } = state;
  const node = pathOf(draft).findLast((each) => each.run !== null);
  const run = node?.run ?? null;
  const isLive = run !== null && run.stage !== 'ended';
  const stored = useQuery({
    queryKey: [...keys.run(run?.id ?? ''), 'search'],
    queryFn: ({ signal }) => cloud().getRun(run?.id ?? '', { signal }),
    enabled: run?.id != null && !isLive,
    staleTime: Number.POSITIVE_INFINITY,
    select: ({ resultPreview }) => sourceOfResult(resultPreview),
  });
  const settings = { parameters: draft.parameters, onChange: store.setParameters };
  if (node === undefined || run === null) {
    return (
      <EmptyState
        text="No search yet: Generate with num_beams above 1 shows how the search went."
        action={<RecordSteps {...settings} />}
      />
    );
  }
  if (isLive) return <Search store={store} node={node} steps={search?.key === run.key ? search.steps : []} isLive />;
  return (
    <QueryView query={stored} skeleton={<Skeleton rows={6} height="1.75rem" />}>
      {(source) =>
        source === null || source.returned.every(({ score }) => score === null) ? (
          <EmptyState
            text={
              source === null
                ? 'This result has no tokens that could be shown as a tree.'
                : 'The last generation of this text searched no beams: set num_beams above 1 and generate.'
            }
            action={<RecordSteps {...settings} />}
          />
        ) : (
          <Search store={store} node={node} source={source} steps={source.steps} isLive={false}>
            {source.steps.length === 0 && <RecordSteps {...settings} />}
          </Search>
        )
      }
    </QueryView>
  );
}

/** Without output_beams only returned sequences are known. */
function RecordSteps({
  parameters,
  onChange,
}: {
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly onChange: (parameters: Readonly<Record<string, unknown>>) => void;
}) {
  if (parameters.output_beams === true && Number(parameters.num_beams ?? 1) > 1) return null;
  const beams = Number(parameters.num_beams ?? 1) > 1 ? parameters.num_beams : 4;
  return (
    <Button
      size="small"
      onPress={() => onChange({ ...parameters, num_beams: beams, num_return_sequences: beams, output_beams: true })}
    >
      Record every step of the next search
    </Button>
  );
}

function Search({
  store,
  node,
  steps,
  source,
  isLive,
  children,
}: {
  readonly store: PlaygroundStore;
  readonly node: DraftNode;
  readonly steps: readonly (readonly BeamCandidate[])[];
  readonly source?: BeamSource;
  readonly isLive: boolean;
  readonly children?: ReactNode;
}) {
  // A long search is laid out while the page stays responsive.
  const shownSteps = useDeferredValue(steps);
  const tree = useMemo(() => beamTree({ steps: shownSteps, returned: source?.returned ?? [] }), [shownSteps, source]);
  const hasDropped = steps.length > 0;
  const [withDropped, setDropped] = useState(true);
  const dropped = tree.nodes.filter(({ isKept }) => !isKept).length;
  const take = (end: BeamNode): void => {
    store.change((draft) => {
      const start = nodeOf(draft, firstOf(draft, node.id)).parent ?? draft.root;
      return takePath(draft, start, tokensTo(tree, end));
    });
    store.generate();
  };
  return (
    <div className="playground-beams">
      <div className="playground-beams-head">
        <p className="ui-muted" role="status">
          {isLive
            ? `searching, step ${formatCount(steps.length)}`
            : `${formatCount(tree.returned.length)} returned${hasDropped ? `, ${formatCount(dropped)} dropped` : ''}`}
        </p>
        {hasDropped && (
          <Checkbox isSelected={withDropped} onChange={setDropped}>
            Dropped candidates
          </Checkbox>
        )}
        {children}
      </div>
      <BeamCanvas tree={tree} withDropped={withDropped && hasDropped} isLive={isLive} onTake={take} />
    </div>
  );
}

/** The log-probability of a token is what it adds to the score of its beam. */
function tokensTo(tree: BeamTree, end: BeamNode): Parameters<typeof takePath>[2] {
  return pathTo(tree, end).map(({ token, label, score, parent }) => {
    const before = parent === null ? 0 : (tree.nodes[parent]?.score ?? null);
    return { id: token, label, logprob: score === null || before === null ? null : score - before };
  });
}

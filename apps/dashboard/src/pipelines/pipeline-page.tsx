import type { Pipeline } from '@gptj-cloud/sdk';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { ButtonLink } from '../ui/button.tsx';
import { CopyCode } from '../ui/copy-code.tsx';
import { PageHead } from '../ui/page-head.tsx';
import { QueryView, Skeleton } from '../ui/states.tsx';
import { Names } from './names-panel.tsx';
import { pipelineQuery, tagsQuery } from './pipeline-queries.ts';
import './pipelines.css';

const route = getRouteApi('/pipelines/$pipelineId');

export function PipelinePage() {
  const { pipelineId } = route.useParams();
  const pipeline = useQuery(pipelineQuery(pipelineId));
  const own = useQuery(tagsQuery(0, pipelineId));
  return (
    <div className="ui-page">
      <PageHead title={pipeline.data?.name ?? 'Pipeline'}>
        <ButtonLink to="/runs" icon="list">
          Runs
        </ButtonLink>
        <ButtonLink to="/playground" look="primary" icon="pen">
          Write with it
        </ButtonLink>
      </PageHead>
      {own.isPending ? (
        <Skeleton rows={6} height="2rem" />
      ) : (
        <QueryView query={pipeline} skeleton={<Skeleton rows={6} height="2rem" />}>
          {(found) => <Details pipeline={found} tagNames={own.data?.items.map(({ name }) => name) ?? []} />}
        </QueryView>
      )}
    </div>
  );
}

function Details({ pipeline, tagNames }: { readonly pipeline: Pipeline; readonly tagNames: readonly string[] }) {
  const { id, description, tags } = pipeline;
  const snippet = `curl ${window.location.origin}/v2/runs \\
  -H "Authorization: Bearer $PIPELINE_API_TOKEN" -H 'Content-Type: application/json' \\
  -d '{"pipeline_id": "${tags[0] ?? id}", "data": ["Once upon a time", {"response_length": 64}]}'`;
  return (
    <>
      {description !== null && <p className="pipelines-description">{description}</p>}
      <section className="ui-panel ui-stack">
        <h2>Names</h2>
        <Names names={[id, ...tags]} />
        {tagNames.length > 0 && (
          <>
            <h3>Tags of this project</h3>
            <Names names={tagNames} />
          </>
        )}
      </section>
      <CopyCode tabs={[{ id: 'curl', label: 'curl', code: snippet }]} />
    </>
  );
}

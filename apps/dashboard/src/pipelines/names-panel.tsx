import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { CopyButton } from '../ui/copy.tsx';
import { QueryView, Skeleton } from '../ui/states.tsx';
import { modelNamesQuery, pipelinesQuery } from './pipeline-queries.ts';

/** Every name that a request may give, by the API that takes it. */
export function NamesPanel() {
  const pipelines = useQuery(pipelinesQuery);
  const names = useQuery(modelNamesQuery);
  return (
    <section className="ui-panel ui-stack">
      <h2>Names that it answers to</h2>
      <QueryView query={pipelines} skeleton={<Skeleton rows={2} height="2rem" />}>
        {(items) => (
          <>
            {items.map(({ id, name, tags }) => (
              <div key={id} className="pipelines-names">
                <p>
                  <Link to="/pipelines/$pipelineId" params={{ pipelineId: id }}>
                    {name}
                  </Link>
                  <span className="ui-muted">, in runs</span>
                </p>
                <Names names={[id, ...tags]} />
              </div>
            ))}
          </>
        )}
      </QueryView>
      <QueryView query={names} skeleton={<Skeleton rows={1} height="2rem" />}>
        {(items) => (
          <div className="pipelines-names">
            <p>
              Model<span className="ui-muted">, in the APIs of OpenAI and Hugging Face</span>
            </p>
            <Names names={items} />
          </div>
        )}
      </QueryView>
    </section>
  );
}

export function Names({ names }: { readonly names: readonly string[] }) {
  return (
    <ul className="pipelines-list">
      {names.map((name) => (
        <li key={name}>
          <code>{name}</code>
          <CopyButton text={name} label={`Copy ${name}`} />
        </li>
      ))}
    </ul>
  );
}

import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Button } from '../ui/button.tsx';
import { PageHead } from '../ui/page-head.tsx';
import { Skeleton } from '../ui/states.tsx';
import { ModelPanel } from './model-panel.tsx';
import { NamesPanel } from './names-panel.tsx';
import { NewTagDialog } from './new-tag-dialog.tsx';
import { engineQuery, modelNamesQuery, pipelinesQuery, tagsQuery } from './pipeline-queries.ts';
import { TagTable } from './tag-table.tsx';
import './pipelines.css';

export function PipelinesPage() {
  const [isNew, setNew] = useState(false);
  const pipelines = useQuery(pipelinesQuery);
  const loads = [useQuery(engineQuery), pipelines, useQuery(modelNamesQuery), useQuery(tagsQuery(0))];
  // All panels come at once, so that none moves another.
  // A failed one shows its error, and asks again by itself.
  const isLoading = loads.some(({ isPending, errorUpdateCount }) => isPending && errorUpdateCount === 0);
  return (
    <div className="ui-page">
      <PageHead title="Pipelines" />
      {isLoading ? (
        <Skeleton rows={10} height="2.75rem" />
      ) : (
        <>
          <ModelPanel />
          <NamesPanel />
          <section className="ui-stack">
            <div className="ui-panel-head pipelines-head">
              <h2>Tags of this project</h2>
              <Button icon="plus" onPress={() => setNew(true)}>
                New tag
              </Button>
            </div>
            <TagTable pipelines={pipelines.data ?? []} />
          </section>
        </>
      )}
      {isNew && <NewTagDialog pipelines={pipelines.data ?? []} onClose={() => setNew(false)} />}
    </div>
  );
}

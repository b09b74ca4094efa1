import { type ReactNode, useState } from 'react';
import { Button, ButtonLink, IconButton } from './button.tsx';
import { CopyButton } from './copy.tsx';
import { ErrorPanel } from './error-panel.tsx';
import { ICON_NAMES, Icon } from './icons.tsx';
import { PageHead } from './page-head.tsx';
import { Checkbox, Switch } from './switch.tsx';

/** Every part in its states, for people and for pictures. */
export function PartsPage() {
  const [isOn, setOn] = useState(true);
  return (
    <main className="ui-page">
      <PageHead title="Parts" />
      <Part name="Button">
        <Button look="primary">Generate</Button>
        <Button icon="refresh">Try again</Button>
        <Button look="quiet">Cancel</Button>
        <Button look="danger" icon="trash">
          Delete
        </Button>
        <Button isPending>Saving</Button>
        <Button isDisabled>Disabled</Button>
        <ButtonLink to="/runs" icon="list">
          All runs
        </ButtonLink>
        <IconButton label="More" icon="more" />
        <CopyButton text="gptj" />
      </Part>
      <Part name="Switch, Checkbox">
        <Switch isSelected={isOn} onChange={setOn} hint="Effective at once.">
          Lock the seed
        </Switch>
        <Checkbox hint="Creates and reads runs.">run</Checkbox>
        <Checkbox isIndeterminate>Some of them</Checkbox>
      </Part>
      <Part name="ErrorPanel">
        <ErrorPanel
          error={{
            status: 429,
            detail: { message: 'too many runs', remedy: 'wait', request_id: 'req_1', retry_after_ms: 9000 },
          }}
          onRetry={() => undefined}
        />
      </Part>
      <Part name="Icons">
        {ICON_NAMES.map((name) => (
          <span key={name} title={name}>
            <Icon name={name} />
          </span>
        ))}
      </Part>
    </main>
  );
}

function Part({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <section className="ui-panel">
      <h2 className="ui-panel-head">{name}</h2>
      <div className="ui-actions">{children}</div>
    </section>
  );
}

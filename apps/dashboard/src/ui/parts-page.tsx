import { useState } from 'react';
import { Button, ButtonLink, IconButton } from './button.tsx';
import { CommandPalette } from './command-palette.tsx';
import { Confirm } from './confirm.tsx';
import { CopyButton } from './copy.tsx';
import { Countdown } from './countdown.tsx';
import { Dialog, Sheet } from './dialog.tsx';
import { ErrorPanel } from './error-panel.tsx';
import { Field, PasswordField } from './field.tsx';
import { ICON_NAMES, Icon } from './icons.tsx';
import { Keys } from './keys.tsx';
import { Menu } from './menu.tsx';
import { PageHead } from './page-head.tsx';
import { DataParts } from './parts-of-data.tsx';
import { Part } from './parts-section.tsx';
import { Select } from './select.tsx';
import { Checkbox, Switch } from './switch.tsx';
import { Toasts, toast } from './toasts.tsx';

type Overlay = 'none' | 'dialog' | 'sheet' | 'confirm' | 'palette';

/** Every part in its states, for people and for pictures. */
export function PartsPage() {
  const [isOn, setOn] = useState(true);
  const [choice, setChoice] = useState('week');
  const [overlay, setOverlay] = useState<Overlay>('none');
  const close = (): void => setOverlay('none');
  return (
    <main className="ui-page">
      <PageHead title="Parts" beside={<Keys keys="mod+k" />}>
        <Button icon="search" onPress={() => setOverlay('palette')}>
          Palette
        </Button>
      </PageHead>
      <Part name="Button, ButtonLink, IconButton, CopyButton, Menu">
        <Button look="primary">Generate</Button>
        <Button icon="refresh">Try again</Button>
        <Button look="quiet">Cancel</Button>
        <Button look="danger" icon="trash">
          Delete
        </Button>
        <Button isPending>Saving</Button>
        <Button isDisabled>Disabled</Button>
        <Button size="small" icon="play">
          Small
        </Button>
        <ButtonLink to="/runs" icon="list">
          All runs
        </ButtonLink>
        <CopyButton text="gptj" />
        <Menu
          label="Actions"
          trigger={<IconButton label="More" icon="more" />}
          groups={[
            { title: 'Run', entries: [{ id: 'open', label: 'Open', icon: 'external', note: '↵', onAction: close }] },
            { entries: [{ id: 'delete', label: 'Delete', icon: 'trash', isDanger: true, onAction: close }] },
          ]}
        />
      </Part>
      <Part name="Field, PasswordField, Select, Switch, Checkbox">
        <Field label="Name" hint="Shown in the list of tokens." placeholder="ci" />
        <Field label="temperature" defaultValue="0.8" isMono after={<span>default 1</span>} />
        <Field label="E-mail address" defaultValue="a@b" error="Expected an e-mail address." />
        <PasswordField label="Password" defaultValue="correct horse" />
        <Select
          label="Range"
          value={choice}
          onChange={setChoice}
          choices={[
            { id: 'today', label: 'Today' },
            { id: 'week', label: 'Last 7 days', note: 'In UTC.' },
          ]}
        />
        <Switch isSelected={isOn} onChange={setOn} hint="Effective at once.">
          Lock the seed
        </Switch>
        <Checkbox defaultSelected hint="Creates and reads runs.">
          run
        </Checkbox>
        <Checkbox isIndeterminate>Some of them</Checkbox>
      </Part>
      <Part name="Dialog, Sheet, Confirm, Toasts">
        <Button onPress={() => setOverlay('dialog')}>Dialog</Button>
        <Button onPress={() => setOverlay('sheet')}>Sheet</Button>
        <Button onPress={() => setOverlay('confirm')}>Confirm</Button>
        <Button onPress={() => toast('The token is disabled.', { action: { label: 'Undo', run: close } })}>
          Toast
        </Button>
        <Button onPress={() => toast('The run could not be cancelled.', { tone: 'bad' })}>Error toast</Button>
      </Part>
      <Part name="ErrorPanel, Countdown">
        <ErrorPanel
          error={{
            status: 429,
            detail: {
              message: 'too many runs at the same time',
              remedy: 'wait for one to end, or choose a plan with more',
              request_id: 'req_1f2e3d4c',
              retry_after_ms: 90_000,
            },
          }}
          onRetry={close}
        />
        <Countdown ms={27_000} text={(left) => `Again in ${left}`} />
      </Part>
      <DataParts />
      <Part name="Icons">
        {ICON_NAMES.map((name) => (
          <span key={name} title={name}>
            <Icon name={name} />
          </span>
        ))}
      </Part>
      <Dialog
        title="New token"
        isOpen={overlay === 'dialog'}
        onClose={close}
        actions={<Button onPress={close}>Done</Button>}
      >
        <p>A dialog stands in the middle of the page, and comes from below on a phone.</p>
        <Field label="Name" />
      </Dialog>
      <Sheet title="Parameters" isOpen={overlay === 'sheet'} onClose={close}>
        <p>A sheet comes from the side.</p>
      </Sheet>
      <Confirm
        title="Delete the token ci?"
        action="Delete"
        typed="ci"
        isOpen={overlay === 'confirm'}
        onClose={close}
        onConfirm={async () => close()}
      >
        Programs that use it are refused from now on.
      </Confirm>
      {overlay === 'palette' && <CommandPalette isOpen onClose={close} />}
      <Toasts />
    </main>
  );
}

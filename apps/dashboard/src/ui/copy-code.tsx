import { type ReactNode, useState } from 'react';
import { CopyButton } from './copy.tsx';
import { Tabs } from './tabs.tsx';
import './copy-code.css';

export interface CodeTab {
  readonly id: string;
  /** Name of the language or client. */
  readonly label: string;
  readonly code: string;
}

/** Code to copy, one tab for each language. `onSelect` keeps the choice of the user. */
export function CopyCode({
  tabs,
  selected,
  onSelect,
  actions,
  children,
}: {
  readonly tabs: readonly [CodeTab, ...CodeTab[]];
  readonly selected?: string;
  readonly onSelect?: (id: string) => void;
  /** Beside Copy, such as "Run here". */
  readonly actions?: ReactNode;
  /** Below the code, such as the reply of "Run here". */
  readonly children?: ReactNode;
}) {
  const [own, setOwn] = useState(tabs[0].id);
  const id = selected ?? own;
  const shown = tabs.find((tab) => tab.id === id) ?? tabs[0];
  const buttons = (
    <>
      <CopyButton text={shown.code} label={`Copy ${shown.label}`}>
        Copy
      </CopyButton>
      {actions}
    </>
  );
  return (
    <div className="ui-code">
      {tabs.length === 1 ? (
        <>
          <div className="ui-code-head">
            <span className="ui-label">{shown.label}</span>
            <div className="ui-actions">{buttons}</div>
          </div>
          <Code>{shown.code}</Code>
        </>
      ) : (
        <Tabs
          label="Languages"
          look="box"
          selected={shown.id}
          onSelect={onSelect ?? setOwn}
          end={buttons}
          tabs={tabs.map((tab) => ({ id: tab.id, label: tab.label, content: <Code>{tab.code}</Code> }))}
        />
      )}
      {children && <div className="ui-code-foot">{children}</div>}
    </div>
  );
}

/** Code scrolls sideways and can have the focus, so that the keyboard scrolls it. */
function Code({ children }: { readonly children: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls needs the focus for the keyboard.
    <pre className="ui-code-text" tabIndex={0}>
      <code>{children}</code>
    </pre>
  );
}

/** The parameters of a run as a form or as JSON, with a search over names and meanings. */
import type { CompatVersion } from '@gptj-cloud/decoding';
import { type ReactNode, useDeferredValue, useEffect, useRef, useState } from 'react';
import { Input, SearchField } from 'react-aria-components';
import { Button, IconButton } from '../../ui/button.tsx';
import { Icon } from '../../ui/icons.tsx';
import { Select } from '../../ui/select.tsx';
import { toast } from '../../ui/toasts.tsx';
import { compatOf, type Parameters, sectionsOf } from './catalogue.ts';
import { ChangedParameters } from './changed-parameters.tsx';
import type { ParameterCheck } from './check-parameters.ts';
import { renamed, switchCompat } from './edit-parameters.ts';
import { JsonView } from './json-view.tsx';
import { FoundParameters, ParameterSections } from './parameter-sections.tsx';
import { fieldId } from './parameter-value.tsx';
import { SeedField } from './seed-field.tsx';
import '../../ui/filter-bar.css';
import './parameters.css';

export interface ParameterPanelProps {
  readonly parameters: Parameters;
  readonly onChange: (parameters: Parameters) => void;
  /** Of these parameters: `useParameterCheck`. */
  readonly check: ParameterCheck;
  /** Seed of the last run. */
  readonly lastSeed: number | null;
  /** A parameter to show and to focus; `onShown` is called when that is done. */
  readonly shown: string | null;
  readonly onShown: () => void;
  /** Beside the search, such as presets. */
  readonly children?: ReactNode;
}

const VERSIONS = [
  { id: '5.18', label: 'transformers 5.18, the present' },
  { id: '4.25', label: 'transformers 4.25, of 2022' },
] as const;

export function ParameterPanel({
  parameters,
  onChange,
  check,
  lastSeed,
  shown,
  onShown,
  children,
}: ParameterPanelProps) {
  const [isJson, setJson] = useState(false);
  const [query, setQuery] = useState('');
  const found = useDeferredValue(query);
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set(['length', 'sampling']));
  const [target, setTarget] = useState<string | null>(null);
  const body = useRef<HTMLDivElement>(null);
  const compat = compatOf(parameters);
  const setSection = (id: string, isOpen: boolean): void => {
    const next = new Set(open);
    if (isOpen) next.add(id);
    else next.delete(id);
    setOpen(next);
  };
  const show = (name: string): void => {
    const section = sectionsOf(compat).find((each) => each.parameters.some((parameter) => parameter.name === name));
    // An unknown name has no row, but a place in the JSON.
    setJson(section === undefined && name !== 'seed');
    setQuery('');
    if (section !== undefined) setSection(section.id, true);
    setTarget(name);
  };
  const [handled, setHandled] = useState<string | null>(null);
  if (shown !== handled) {
    setHandled(shown);
    if (shown !== null) show(shown);
  }
  useEffect(() => {
    if (target === null) return;
    const field = document.getElementById(fieldId(target));
    const control = field?.matches('input, textarea, button')
      ? field
      : field?.querySelector<HTMLElement>('input, textarea, button');
    field?.scrollIntoView({ block: 'center' });
    control?.focus();
    setTarget(null);
    onShown();
  }, [target, onShown]);
  const changeCompat = (next: CompatVersion): void => {
    const { parameters: kept, lost } = switchCompat(parameters, next);
    onChange(kept);
    if (lost.length === 0) return;
    const undo = { label: 'Undo', run: () => onChange(parameters) };
    toast(`transformers ${next} has no ${lost.join(', ')}.`, { tone: 'info', action: undo });
  };
  const form = { parameters, check, onChange };
  return (
    <section className="playground-params" aria-label="Parameters">
      <div className="playground-params-head">
        <SearchField
          aria-label="Find a parameter by name or meaning"
          className="ui-search playground-params-search"
          value={query}
          onChange={(next) => {
            setQuery(next);
            body.current?.scrollTo({ top: 0 });
          }}
          isDisabled={isJson}
        >
          <Icon name="search" />
          <Input className="ui-search-input" placeholder="Find a parameter" />
        </SearchField>
        <IconButton
          label={isJson ? 'Show the form' : 'Show JSON'}
          icon={isJson ? 'sliders' : 'code'}
          size="small"
          onPress={() => setJson(!isJson)}
        />
        {children}
      </div>
      <div className="playground-params-body" ref={body}>
        <Select label="Behaves like" value={compat} onChange={changeCompat} choices={VERSIONS} size="small" />
        <Refusal {...form} />
        {isJson ? (
          <JsonView parameters={parameters} onChange={onChange} />
        ) : found.trim() !== '' ? (
          <FoundParameters {...form} query={found} />
        ) : (
          <>
            <ChangedParameters {...form} onShow={show} />
            <SeedField parameters={parameters} lastSeed={lastSeed} onChange={onChange} />
            <ParameterSections {...form} open={open} onOpen={setSection} />
          </>
        )}
      </div>
    </section>
  );
}

/** What refuses the parameters, with the known name for a mistyped one. */
function Refusal({
  check: { refusal },
  parameters,
  onChange,
}: Pick<ParameterPanelProps, 'check' | 'parameters' | 'onChange'>) {
  if (refusal === null) return null;
  return (
    <div className="playground-params-refusal" role="status">
      <Icon name="alert" />
      <div className="playground-params-refusal-text">
        <p>{refusal.message.charAt(0).toUpperCase() + refusal.message.slice(1)}</p>
        {refusal.corrections.map(({ name, meant }) => (
          <Button key={name} size="small" onPress={() => onChange(renamed(parameters, name, meant))}>
            Use {meant}
          </Button>
        ))}
      </div>
    </div>
  );
}

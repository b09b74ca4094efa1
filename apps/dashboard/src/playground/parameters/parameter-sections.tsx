import type { ParameterDescription } from '@gptj-cloud/decoding';
import { useCallback, useEffect, useMemo, useRef } from 'react';
import { Button, Disclosure, DisclosurePanel, Heading } from 'react-aria-components';
import { formatPlural } from '../../ui/formats.ts';
import { Icon } from '../../ui/icons.tsx';
import { catalogueOf, compatOf, type Parameters, searchParameters, sectionsOf } from './catalogue.ts';
import { idleReason, type ParameterCheck } from './check-parameters.ts';
import { withParameter } from './edit-parameters.ts';
import { ParameterRow } from './parameter-row.tsx';

interface SectionsProps {
  readonly parameters: Parameters;
  readonly check: ParameterCheck;
  readonly onChange: (parameters: Parameters) => void;
}

/** All parameters in their groups, of which `open` show their rows. */
export function ParameterSections({
  open,
  onOpen,
  ...rest
}: SectionsProps & {
  readonly open: ReadonlySet<string>;
  readonly onOpen: (id: string, isOpen: boolean) => void;
}) {
  const { parameters } = rest;
  const sections = sectionsOf(compatOf(parameters));
  return sections.map(({ id, title, parameters: own }) => {
    const changed = own.filter(({ name }) => parameters[name] !== undefined).length;
    const isOpen = open.has(id);
    return (
      <Disclosure
        key={id}
        className="playground-params-section"
        isExpanded={isOpen}
        onExpandedChange={(next) => onOpen(id, next)}
      >
        <Heading level={3} className="playground-params-title">
          <Button slot="trigger" className="playground-params-trigger">
            <Icon name={isOpen ? 'down' : 'right'} size={12} />
            <span>{title}</span>
            <span className="playground-params-count">
              {changed > 0 && <b>{changed} changed · </b>}
              {own.length}
            </span>
          </Button>
        </Heading>
        <DisclosurePanel>{isOpen && <Rows {...rest} rows={own} />}</DisclosurePanel>
      </Disclosure>
    );
  });
}

/** The parameters that a search finds, by name or meaning. */
export function FoundParameters({ query, ...rest }: SectionsProps & { readonly query: string }) {
  const compat = compatOf(rest.parameters);
  const found = useMemo(() => searchParameters(catalogueOf(compat), query), [compat, query]);
  return (
    <div className="playground-params-section">
      <p className="playground-params-none" role="status">
        {found.length === 0
          ? `No parameter of transformers ${compat} is called or means “${query.trim()}”.`
          : formatPlural(found.length, 'parameter')}
      </p>
      <Rows {...rest} rows={found} />
    </div>
  );
}

function Rows({
  parameters,
  check,
  onChange,
  rows,
}: SectionsProps & { readonly rows: readonly ParameterDescription[] }) {
  // Rows are rendered again where their own facts change, not for every change of another parameter.
  const newest = useRef({ parameters, onChange });
  useEffect(() => {
    newest.current = { parameters, onChange };
  });
  const change = useCallback((name: string, value: unknown): void => {
    const { parameters: given, onChange: report } = newest.current;
    report(withParameter(given, name, value));
  }, []);
  return rows.map((parameter) => {
    const { name } = parameter;
    const value = parameters[name];
    return (
      <ParameterRow
        key={name}
        parameter={parameter}
        value={value}
        fallback={name === 'do_sample' ? check.samplesByDefault : parameter.default}
        warning={check.warnings.get(name) ?? null}
        idle={idleReason(parameter, check)}
        refusal={check.refusal?.names.includes(name) === true && value !== undefined ? check.refusal.message : null}
        onChange={change}
      />
    );
  });
}

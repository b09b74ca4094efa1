import type { ParameterDescription } from '@gptj-cloud/decoding';
import { Button } from 'react-aria-components';
import { Icon } from '../../ui/icons.tsx';
import { catalogueOf, compatOf, type Parameters } from './catalogue.ts';
import type { ParameterCheck } from './check-parameters.ts';
import { textOfValue, withParameter } from './edit-parameters.ts';

/** The given parameters, each with a way to its row and one back to its default. */
export function ChangedParameters({
  parameters,
  check,
  onChange,
  onShow,
}: {
  readonly parameters: Parameters;
  readonly check: ParameterCheck;
  readonly onChange: (parameters: Parameters) => void;
  readonly onShow: (name: string) => void;
}) {
  const names = Object.keys(parameters).filter((name) => name !== 'compat' && name !== 'seed');
  const known = new Map(catalogueOf(compatOf(parameters)).map((parameter) => [parameter.name, parameter]));
  if (names.length === 0) return <p className="playground-params-none">Every parameter is at its default.</p>;
  return (
    <ul className="playground-params-changed" aria-label="Changed parameters">
      {names.map((name) => {
        const tone = check.refusal?.names.includes(name) ? 'bad' : check.warnings.has(name) ? 'warn' : 'plain';
        return (
          <li key={name} className={`playground-params-chip playground-params-chip-${tone}`}>
            <Button className="playground-params-chip-name" onPress={() => onShow(name)}>
              {tone !== 'plain' && <Icon name="alert" size={12} />}
              <span className="ui-cut">{name}</span>{' '}
              <b className="ui-cut">{shortText(known.get(name), parameters[name])}</b>
            </Button>
            <Button
              className="playground-params-chip-remove"
              aria-label={`Use the default of ${name}`}
              onPress={() => onChange(withParameter(parameters, name, undefined))}
            >
              <Icon name="close" size={12} />
            </Button>
          </li>
        );
      })}
    </ul>
  );
}

function shortText(parameter: ParameterDescription | undefined, value: unknown): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return textOfValue(parameter ?? { type: 'json' }, value).slice(0, 40);
}

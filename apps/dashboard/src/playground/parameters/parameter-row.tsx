import type { ParameterDescription } from '@gptj-cloud/decoding';
import { Fragment, memo, type ReactNode, useState } from 'react';
import { IconButton } from '../../ui/button.tsx';
import { Icon } from '../../ui/icons.tsx';
import { defaultText, rangeText } from './edit-parameters.ts';
import { fieldId, ParameterValue } from './parameter-value.tsx';

/** One parameter: its name, its value, and one sentence: what it means, why it has no effect, or why it is refused. */
export const ParameterRow = memo(function ParameterRow({
  parameter,
  value,
  fallback,
  warning,
  idle,
  refusal,
  onChange,
}: {
  readonly parameter: ParameterDescription;
  readonly value: unknown;
  readonly fallback: unknown;
  /** The server's sentence about the given value. */
  readonly warning: string | null;
  /** Why it would have no effect. */
  readonly idle: string | null;
  readonly refusal: string | null;
  readonly onChange: (name: string, value: unknown) => void;
}) {
  const { name, help, effect } = parameter;
  const [textError, setTextError] = useState<string | null>(null);
  const isGiven = value !== undefined;
  const error = textError ?? refusal;
  const sentence = error ?? warning ?? idle;
  const noteId = `${fieldId(name)}-note`;
  const isWide = parameter.type === 'json';
  const tone = error !== null ? 'bad' : warning !== null ? 'warn' : idle !== null ? 'idle' : 'plain';
  return (
    <div
      className={`playground-param playground-param-${tone}`}
      data-given={isGiven || undefined}
      data-wide={isWide || undefined}
    >
      <div className="playground-param-head">
        <span className="playground-param-name">{breakable(name)}</span>
        {parameter.own && <span className="playground-param-mark">ours</span>}
        {isGiven && (
          <IconButton
            label={`Use the default of ${name}`}
            icon="close"
            size="small"
            onPress={() => onChange(name, undefined)}
          />
        )}
      </div>
      {effect === 'refused' ? null : (
        <ParameterValue
          parameter={parameter}
          value={value}
          fallback={fallback}
          onChange={(next) => onChange(name, next)}
          onError={setTextError}
          isInvalid={error !== null}
          describedBy={noteId}
        />
      )}
      <p className="playground-param-note" id={noteId}>
        {sentence !== null && (
          <span className="playground-param-said">
            {tone !== 'idle' && <Icon name="alert" size={12} />}
            {withoutName(sentence, name)}
          </span>
        )}
        <span className="playground-param-help">
          {help} <span className="playground-param-facts">{factsOf(parameter, fallback)}</span>
        </span>
      </p>
    </div>
  );
});

/** A long name is broken after an underscore. */
function breakable(name: string): ReactNode {
  return name.split(/(?<=_)/).map((part, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a name never change.
    <Fragment key={index}>
      {index > 0 && <wbr />}
      {part}
    </Fragment>
  ));
}

/** The name stands above the sentence already. */
function withoutName(sentence: string, name: string): string {
  if (!sentence.startsWith(`${name}: `)) return sentence;
  const text = sentence.slice(name.length + 2);
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A run samples by default, where `generate` does not. */
function withDefault(parameter: ParameterDescription, fallback: unknown): ParameterDescription {
  return typeof fallback === 'boolean' ? { ...parameter, default: fallback } : parameter;
}

function factsOf(parameter: ParameterDescription, fallback: unknown): string {
  if (parameter.effect !== 'acts') return '';
  const facts = [`Default ${defaultText(withDefault(parameter, fallback))}`, rangeText(parameter)].filter(
    (fact) => fact !== null,
  );
  const compat = parameter.versions.length === 1 ? [`${parameter.versions[0]} only`] : [];
  return `${[...facts, ...compat].join(' · ')}.`;
}

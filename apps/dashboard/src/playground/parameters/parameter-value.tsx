/** Fields for the values of parameters, one for each kind. */
import type { ParameterDescription } from '@gptj-cloud/decoding';
import { useState } from 'react';
import { Input, Slider, SliderThumb, SliderTrack, TextArea, TextField } from 'react-aria-components';
import { Select } from '../../ui/select.tsx';
import { Switch } from '../../ui/switch.tsx';
import { defaultText, readText, textOfValue } from './edit-parameters.ts';

export interface ParameterValueProps {
  readonly parameter: ParameterDescription;
  /** Undefined: not given. */
  readonly value: unknown;
  /** What holds where it is not given. */
  readonly fallback: unknown;
  readonly onChange: (value: unknown) => void;
  /** A sentence about a text that is no value yet; null for none. */
  readonly onError: (error: string | null) => void;
  readonly isInvalid: boolean;
  /** Id of the sentence below the field. */
  readonly describedBy: string;
}

export function ParameterValue(props: ParameterValueProps) {
  const { type } = props.parameter;
  if (type === 'boolean') return <Flag {...props} />;
  if (type === 'choice') return <ChoiceValue {...props} />;
  return <TextValue {...props} />;
}

function Flag({ parameter, value, fallback, onChange, describedBy }: ParameterValueProps) {
  const isOn = typeof value === 'boolean' ? value : fallback === true;
  return (
    <Switch id={fieldId(parameter.name)} aria-describedby={describedBy} isSelected={isOn} onChange={onChange}>
      <span className="ui-hidden">{parameter.name}</span>
    </Switch>
  );
}

/** Choices are texts or booleans; their JSON is the key. */
function ChoiceValue({ parameter, value, onChange }: ParameterValueProps) {
  const choices = (parameter.choices ?? []).map((choice) => ({ id: JSON.stringify(choice), label: String(choice) }));
  return (
    <Select
      label={parameter.name}
      isLabelHidden
      size="small"
      value={value === undefined ? '' : JSON.stringify(value)}
      onChange={(id) => onChange(id === '' ? undefined : JSON.parse(id))}
      choices={[{ id: '', label: `default (${defaultText(parameter)})` }, ...choices]}
    />
  );
}

function TextValue({ parameter, value, fallback, onChange, onError, isInvalid, describedBy }: ParameterValueProps) {
  const [typed, setTyped] = useState(() => textOfValue(parameter, value));
  const read = readText(parameter, typed);
  // The text stays as it was typed while it means the value; a preset, undo or reset replaces it.
  const isOwn = read.error !== null || isSame(read.value, value);
  const text = isOwn ? typed : textOfValue(parameter, value);
  const change = (next: string): void => {
    setTyped(next);
    const { value: nextValue, error } = readText(parameter, next);
    onError(error);
    if (error === null) onChange(nextValue);
  };
  const isJson = parameter.type === 'json';
  const slider = SLIDERS.get(parameter.name);
  const at = typeof value === 'number' ? value : typeof fallback === 'number' ? fallback : null;
  return (
    <>
      <TextField
        id={fieldId(parameter.name)}
        aria-label={parameter.name}
        aria-describedby={describedBy}
        className={`playground-param-text${isJson ? ' playground-param-json' : ''}`}
        value={text}
        onChange={change}
        isInvalid={isInvalid}
      >
        {isJson ? (
          <TextArea rows={Math.min(6, text.split('\n').length)} placeholder={parameter.form ?? ''} spellCheck="false" />
        ) : (
          <Input inputMode="decimal" placeholder={defaultText(parameter)} />
        )}
      </TextField>
      {slider !== undefined && (
        <Slider
          aria-label={`${parameter.name}, slider`}
          className="playground-param-slider"
          minValue={slider.min}
          maxValue={slider.max}
          step={slider.step}
          value={Math.min(slider.max, Math.max(slider.min, at ?? slider.rest ?? slider.min))}
          onChange={(next) => change(String(next))}
        >
          <SliderTrack className="playground-param-track">
            <SliderThumb className="playground-param-thumb" />
          </SliderTrack>
        </Slider>
      )}
    </>
  );
}

export function fieldId(name: string): string {
  return `parameter-${name}`;
}

function isSame(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

interface Range {
  readonly min: number;
  readonly max: number;
  readonly step: number;
  /** Where the thumb is without a value and a default that is a number. */
  readonly rest?: number;
}

/** The values that are in use, for a slider; the field takes any. */
const SLIDERS: ReadonlyMap<string, Range> = new Map([
  ['max_new_tokens', { min: 1, max: 512, step: 1, rest: 20 }],
  ['response_length', { min: 1, max: 512, step: 1, rest: 20 }],
  ['temperature', { min: 0.05, max: 2, step: 0.05 }],
  ['top_k', { min: 0, max: 200, step: 1 }],
  ['top_p', { min: 0, max: 1, step: 0.01 }],
  ['min_p', { min: 0, max: 1, step: 0.01, rest: 0 }],
  ['typical_p', { min: 0.01, max: 1, step: 0.01 }],
  ['repetition_penalty', { min: 0.5, max: 2, step: 0.05 }],
  ['num_beams', { min: 1, max: 16, step: 1 }],
  ['num_return_sequences', { min: 1, max: 16, step: 1 }],
  ['length_penalty', { min: -2, max: 4, step: 0.1 }],
]);

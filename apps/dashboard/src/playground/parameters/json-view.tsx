import { useState } from 'react';
import { Field } from '../../ui/field.tsx';
import type { Parameters } from './catalogue.ts';

/** The parameters as JSON, to read, write and paste. Changes hold as soon as the text is an object. */
export function JsonView({
  parameters,
  onChange,
}: {
  readonly parameters: Parameters;
  readonly onChange: (parameters: Parameters) => void;
}) {
  const [typed, setTyped] = useState(() => write(parameters));
  const read = readObject(typed);
  const isOwn = read === null || JSON.stringify(read) === JSON.stringify(parameters);
  const text = isOwn ? typed : write(parameters);
  return (
    <Field
      label="Parameters as JSON"
      lines={Math.max(8, Math.min(24, text.split('\n').length + 1))}
      isMono
      spellCheck="false"
      value={text}
      error={read === null ? 'Expected a JSON object, like {"max_new_tokens": 64}. The last valid one holds.' : null}
      onChange={(next) => {
        setTyped(next);
        const object = readObject(next);
        if (object !== null) onChange(object);
      }}
    />
  );
}

function write(parameters: Parameters): string {
  return JSON.stringify(parameters, null, 2);
}

function readObject(text: string): Parameters | null {
  try {
    const value: unknown = JSON.parse(text.trim() === '' ? '{}' : text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Parameters) : null;
  } catch {
    return null;
  }
}

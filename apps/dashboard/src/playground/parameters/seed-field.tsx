import { Input, TextField } from 'react-aria-components';
import { IconButton } from '../../ui/button.tsx';
import type { Parameters } from './catalogue.ts';
import { readText, withParameter } from './edit-parameters.ts';

const SEED = { type: 'integer' } as const;

/**
 * The seed of the draws. Open, every run draws a new one, which is shown; locked, the parameters have it and runs repeat. The
 * dice locks a new one.
 */
export function SeedField({
  parameters,
  lastSeed,
  onChange,
}: {
  readonly parameters: Parameters;
  /** Of the last run; null: nothing was drawn yet. */
  readonly lastSeed: number | null;
  readonly onChange: (parameters: Parameters) => void;
}) {
  const { seed } = parameters;
  const isLocked = seed !== undefined && seed !== null;
  const set = (value: unknown): void => onChange(withParameter(parameters, 'seed', value));
  return (
    <div className="playground-seed">
      <span className="playground-param-name" id="playground-seed-label">
        seed
      </span>
      <TextField
        id="parameter-seed"
        aria-labelledby="playground-seed-label"
        className="playground-param-text"
        value={isLocked ? String(seed) : ''}
        onChange={(text) => {
          const { value, error } = readText(SEED, text);
          if (error === null) set(value);
        }}
      >
        <Input inputMode="numeric" placeholder={lastSeed === null ? 'new for every run' : `last ${lastSeed}`} />
      </TextField>
      <IconButton label="A new seed" icon="dice" size="small" onPress={() => set(randomSeed())} />
      <IconButton
        label={isLocked ? 'Unlock: a new seed for every run' : 'Lock the seed of the last run'}
        icon={isLocked ? 'lock' : 'unlock'}
        size="small"
        isDisabled={!isLocked && lastSeed === null}
        onPress={() => set(isLocked ? undefined : lastSeed)}
      />
    </div>
  );
}

/** Short enough to be read aloud and typed again. */
function randomSeed(): number {
  const [word = 0] = crypto.getRandomValues(new Uint32Array(1));
  return word % 1_000_000_000;
}

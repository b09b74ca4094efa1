import { Fragment } from 'react';
import { Button } from 'react-aria-components';
import { Icon } from '../../ui/icons.tsx';
import type { ParameterCheck } from './check-parameters.ts';
import './parameters.css';

/** How tokens are chosen, and which settings made it so: `sample · because do_sample`. */
export function ModeChip({
  check,
  onShow,
}: {
  readonly check: ParameterCheck;
  /** Shows a parameter in the form. */
  readonly onShow: (name: string) => void;
}) {
  const { mode, because, refusal } = check;
  if (mode === null) {
    const name = refusal?.names[0];
    return (
      <span className="playground-mode playground-mode-refused">
        <Icon name="alert" size={12} />
        {name === undefined ? (
          'refused'
        ) : (
          <Button className="playground-mode-name" onPress={() => onShow(name)}>
            {name}
          </Button>
        )}
        {name !== undefined && ' is refused'}
      </span>
    );
  }
  return (
    <span className="playground-mode">
      <strong>{mode}</strong>
      {because.length === 0 ? ' · by default' : ' · because '}
      {because.map((name, index) => (
        <Fragment key={name}>
          {index > 0 && ', '}
          <Button className="playground-mode-name" aria-label={`Show ${name}`} onPress={() => onShow(name)}>
            {name}
          </Button>
        </Fragment>
      ))}
    </span>
  );
}

import { Button } from './button.tsx';
import { formatCount } from './formats.ts';
import { Icon } from './icons.tsx';
import './pager.css';

/** Newer and older pages of a list; nothing when it fits one page. */
export function Pager({
  label,
  skip,
  limit,
  total,
  onSkip,
}: {
  readonly label: string;
  readonly skip: number;
  readonly limit: number;
  readonly total: number;
  readonly onSkip: (skip: number) => void;
}) {
  if (total <= limit && skip === 0) return null;
  const last = Math.min(total, skip + limit);
  return (
    <nav className="ui-pager" aria-label={label}>
      <span className="ui-muted ui-number">
        {formatCount(Math.min(total, skip + 1))}–{formatCount(last)} of {formatCount(total)}
      </span>
      <Button size="small" icon="left" isDisabled={skip === 0} onPress={() => onSkip(Math.max(0, skip - limit))}>
        Previous
      </Button>
      <Button size="small" isDisabled={last >= total} onPress={() => onSkip(skip + limit)}>
        Next
        <Icon name="right" />
      </Button>
    </nav>
  );
}

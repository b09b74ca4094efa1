import { cloneElement, lazy, type ReactElement, Suspense, useState } from 'react';
import type { IconName } from './icons.tsx';

export interface MenuEntry {
  readonly id: string;
  readonly label: string;
  readonly icon?: IconName;
  /** Small text at the end of the row, such as a key. */
  readonly note?: string;
  readonly isDanger?: boolean;
  readonly isDisabled?: boolean;
  readonly onAction: () => void;
}

export interface MenuGroup {
  readonly title?: string;
  readonly entries: readonly MenuEntry[];
}

export interface MenuProps {
  readonly trigger: ReactElement;
  readonly label: string;
  readonly groups: readonly MenuGroup[];
  /** Default: below, at the start of the trigger. */
  readonly placement?: 'bottom start' | 'bottom end' | 'top start' | 'top end';
}

// Loaded after the page shows: no menu is open at first.
const MenuTrigger = lazy(async () => ({ default: (await import('./menu-trigger.tsx')).MenuTrigger }));

/** A button that opens a menu: `<Menu trigger={<IconButton …/>} label="Actions" groups={[{ entries }]} />`. */
export function Menu(props: MenuProps) {
  // A press before the menu is loaded opens it then.
  const [wasPressed, setPressed] = useState(false);
  const trigger = cloneElement(props.trigger as ReactElement<{ readonly onPress?: () => void }>, {
    onPress: () => setPressed(true),
  });
  return (
    <Suspense fallback={trigger}>
      <MenuTrigger {...props} isFirstOpen={wasPressed} />
    </Suspense>
  );
}

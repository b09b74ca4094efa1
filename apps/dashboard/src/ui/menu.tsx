import { cloneElement, type ReactElement } from 'react';
import type { IconName } from './icons.tsx';
import { createLatePart, type Handover, useLatePart } from './late-part.ts';

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
  readonly trigger: ReactElement<Partial<Handover['standIn']> & { readonly autoFocus?: boolean }>;
  readonly label: string;
  readonly groups: readonly MenuGroup[];
  /** Default: below, at the start of the trigger. */
  readonly placement?: 'bottom start' | 'bottom end' | 'top start' | 'top end';
}

// No menu is open at first.
const lateMenuTrigger = createLatePart(async () => (await import('./menu-trigger.tsx')).MenuTrigger);

/** A button that opens a menu: `<Menu trigger={<IconButton …/>} label="Actions" groups={[{ entries }]} />`. */
export function Menu(props: MenuProps) {
  const [MenuTrigger, { standIn, wasPressed, hadFocus }] = useLatePart(lateMenuTrigger);
  if (MenuTrigger === null) return cloneElement(props.trigger, standIn);
  const trigger = hadFocus ? cloneElement(props.trigger, { autoFocus: true }) : props.trigger;
  return <MenuTrigger {...props} trigger={trigger} isFirstOpen={wasPressed} />;
}

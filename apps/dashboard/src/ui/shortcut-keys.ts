/** Names of keys: how shortcuts are written, compared with key presses, and shown. */

/** The facts of a `KeyboardEvent` that name a press. */
export interface KeyPress {
  readonly key: string;
  readonly code: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly shiftKey: boolean;
}

const MODIFIERS = new Set(['Control', 'Meta', 'Alt', 'Shift', 'AltGraph', 'CapsLock']);
const NAMES: Readonly<Record<string, string>> = {
  ' ': 'space',
  Escape: 'esc',
  ArrowUp: 'up',
  ArrowDown: 'down',
  ArrowLeft: 'left',
  ArrowRight: 'right',
};
const SHOWN: Readonly<Record<string, string>> = {
  enter: '↵',
  esc: 'Esc',
  up: '↑',
  down: '↓',
  left: '←',
  right: '→',
  space: 'Space',
  shift: '⇧',
};

/** `mod+shift+z` for a press; empty for a modifier alone. */
export function pressOf(press: KeyPress): string {
  if (MODIFIERS.has(press.key)) return '';
  // With Alt held, `key` is the letter of the keyboard's third level: the code names the key itself.
  const letter =
    press.altKey && /^(?:Key|Digit)/.test(press.code) ? press.code.replace(/^(?:Key|Digit)/, '') : press.key;
  const name = NAMES[letter] ?? letter.toLowerCase();
  // Shift is part of characters such as `?`; it is a modifier of letters with another modifier, and of named keys.
  const isModified = press.ctrlKey || press.metaKey || press.altKey;
  const hasShift = press.shiftKey && (isModified || name.length > 1);
  return [
    press.ctrlKey || press.metaKey ? 'mod+' : '',
    press.altKey ? 'alt+' : '',
    hasShift ? 'shift+' : '',
    name,
  ].join('');
}

/** Whether `press`, after `previous`, is the shortcut `keys`. */
export function matchKeys(keys: string, previous: string, press: string): boolean {
  const [first = '', second] = keys.split(' ');
  return second === undefined ? first === press : first === previous && second === press;
}

/** The parts of a shortcut as the keyboard shows them: `['⌘', 'K']`. */
export function showKeys(keys: string, isMac: boolean): readonly string[] {
  return keys.split(' ').flatMap((press) =>
    (press === '+' ? ['+'] : press.split('+')).map((part) => {
      if (part === 'mod') return isMac ? '⌘' : 'Ctrl';
      if (part === 'alt') return isMac ? '⌥' : 'Alt';
      if (part === 'shift' && !isMac) return 'Shift';
      return SHOWN[part] ?? (part.length === 1 && press.includes('+') ? part.toUpperCase() : part);
    }),
  );
}

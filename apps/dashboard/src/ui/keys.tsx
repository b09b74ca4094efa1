import { showKeys } from './shortcut-keys.ts';
import './keys.css';

const isMac = /Mac|iPhone|iPad/.test(navigator.userAgent);

/** A shortcut as keys: `<Keys keys="mod+k" />`. */
export function Keys({ keys }: { readonly keys: string }) {
  return (
    <span className="ui-keys">
      {showKeys(keys, isMac).map((key, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one shortcut never change their order.
        <kbd key={index}>{key}</kbd>
      ))}
    </span>
  );
}

import { useEffect, useState } from 'react';
import { announce } from './announce.tsx';
import { Button, IconButton } from './button.tsx';
import { toast } from './toasts.tsx';

const SHOWN_MS = 1_500;

/** Copies `text`; with `children` a button with these words, else an icon. */
export function CopyButton({
  text,
  label = 'Copy',
  children,
  onCopied,
}: {
  readonly text: string;
  readonly label?: string;
  readonly children?: string;
  readonly onCopied?: () => void;
}) {
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setCopied(false), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [isCopied]);
  const copy = (): void => {
    navigator.clipboard.writeText(text).then(
      () => {
        setCopied(true);
        announce('Copied');
        onCopied?.();
      },
      () => toast('The browser does not allow copying here. Select the text and copy it by hand.', { tone: 'bad' }),
    );
  };
  const icon = isCopied ? 'check' : 'copy';
  if (children === undefined)
    return <IconButton label={isCopied ? 'Copied' : label} icon={icon} size="small" onPress={copy} />;
  return (
    <Button size="small" icon={icon} onPress={copy}>
      {isCopied ? 'Copied' : children}
    </Button>
  );
}

import type { ReactElement, ReactNode } from 'react';
import { Tooltip, TooltipTrigger } from 'react-aria-components';
import './overlay.css';

/** A tooltip on a control that can have the focus. What it says must not be needed to use the control. */
export function Tip({ text, children }: { readonly text: ReactNode; readonly children: ReactElement }) {
  return (
    <TooltipTrigger delay={400} closeDelay={80}>
      {children}
      <Tooltip className="ui-tip" offset={6}>
        {text}
      </Tooltip>
    </TooltipTrigger>
  );
}

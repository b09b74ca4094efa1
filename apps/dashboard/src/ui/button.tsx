import { createLink } from '@tanstack/react-router';
import type { ReactNode, Ref } from 'react';
import {
  Button as AriaButton,
  type ButtonProps as AriaButtonProps,
  Link as AriaLink,
  type LinkProps,
} from 'react-aria-components';
import './button.css';
import { Icon, type IconName } from './icons.tsx';
import { Tip } from './tooltip.tsx';

export interface ButtonLook {
  /** One primary button a page. Default: `plain`. */
  readonly look?: 'primary' | 'plain' | 'quiet' | 'danger';
  readonly size?: 'normal' | 'small';
  readonly icon?: IconName;
}

export interface ButtonProps extends Omit<AriaButtonProps, 'children' | 'className' | 'style'>, ButtonLook {
  readonly children: ReactNode;
  readonly ref?: Ref<HTMLButtonElement>;
  /** Wide as its container. */
  readonly wide?: boolean;
  /** It does nothing for now, and keeps the focus: something beside it says until when. */
  readonly isLocked?: boolean;
}

function classOf({ look = 'plain', size = 'normal' }: ButtonLook, wide = false): string {
  return `ui-button ui-button-${look} ui-button-${size}${wide ? ' ui-button-wide' : ''}`;
}

/** While `isPending` it keeps its width and its focus, and does nothing. */
export function Button({
  look,
  size,
  icon,
  wide,
  isLocked = false,
  isPending = false,
  children,
  ...rest
}: ButtonProps) {
  return (
    <AriaButton
      {...rest}
      isPending={isPending || isLocked}
      className={classOf({ ...(look && { look }), ...(size && { size }) }, wide)}
    >
      {() => (
        <>
          {isPending ? <span className="ui-spinner" aria-hidden="true" /> : icon && <Icon name={icon} />}
          {children}
        </>
      )}
    </AriaButton>
  );
}

/** A button of one icon: `label` is its name, and its tooltip. */
export function IconButton({
  label,
  icon,
  look = 'quiet',
  size = 'normal',
  ...rest
}: Omit<AriaButtonProps, 'children' | 'className' | 'style'> & {
  readonly label: string;
  readonly icon: IconName;
  readonly look?: ButtonLook['look'];
  readonly size?: ButtonLook['size'];
}) {
  return (
    <Tip text={label}>
      <AriaButton
        {...rest}
        aria-label={label}
        className={`${classOf({ look: look ?? 'quiet', size: size ?? 'normal' })} ui-button-icon`}
      >
        <Icon name={icon} />
      </AriaButton>
    </Tip>
  );
}

interface PlainLinkProps extends Omit<LinkProps, 'className' | 'style' | 'children'>, ButtonLook {
  readonly children?: ReactNode;
}

function PlainButtonLink({ look, size, icon, children, ...rest }: PlainLinkProps) {
  return (
    <AriaLink {...rest} className={classOf({ ...(look && { look }), ...(size && { size }) })}>
      {icon && <Icon name={icon} />}
      {children}
    </AriaLink>
  );
}

/** A link that looks like a button: `<ButtonLink to="/runs" icon="list">All runs</ButtonLink>`. */
export const ButtonLink = createLink(PlainButtonLink);

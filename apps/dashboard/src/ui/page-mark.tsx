import './page-mark.css';

/** Lines of text and a caret: the mark of this server. */
export function PageMark({ size = 20 }: { readonly size?: number }) {
  return (
    <svg className="ui-mark" width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" />
      <path d="M9 9.5h14M9 16h14M9 22.5h6M20.5 19.5v7" />
    </svg>
  );
}

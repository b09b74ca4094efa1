import { posix } from 'node:path';
import { html, raw } from 'hono/html';
import { Marked, type RendererObject, type Token, type Tokens } from 'marked';
import type { Html } from '../html-page.ts';

export interface Heading {
  readonly depth: number;
  readonly text: string;
  /** Of its address: `#text`. */
  readonly anchor: string;
}

export interface MarkdownPage {
  readonly body: Html;
  readonly headings: readonly Heading[];
}

/** Where a relative link of a page leads; null: nowhere on this server, and its text stays without a link. */
export type ResolveLink = (file: string) => string | null;

/**
 * Markdown as HTML: headings get the anchors that GitHub gives them, code gets a button that copies it, and links between
 * files become addresses. Markup in the text is shown, not used.
 */
export function renderMarkdown(text: string, file: string, resolve: ResolveLink): MarkdownPage {
  const headings: Heading[] = [];
  const takeAnchor = uniqueAnchors();
  const target = (href: string): string | null => {
    if (/^(?:https?:|#)/.test(href)) return href;
    const [path = '', anchor] = href.split('#');
    const address = resolve(posix.join(posix.dirname(file), path));
    return address === null || anchor === undefined ? address : `${address}#${anchor}`;
  };
  const renderer: RendererObject = {
    heading({ tokens, depth }: Tokens.Heading) {
      const title = plainText(tokens);
      const heading = { depth, text: title, anchor: takeAnchor(title) };
      headings.push(heading);
      const content = this.parser.parseInline(tokens);
      if (depth === 1) return `<h1>${content}</h1>\n`;
      return `<h${depth} id="${heading.anchor}"><a class="anchor" href="#${heading.anchor}">${content}</a></h${depth}>\n`;
    },
    code({ text: code, lang = '' }: Tokens.Code) {
      return codeBlock(code, lang).toString();
    },
    link({ href, tokens }: Tokens.Link) {
      const content = this.parser.parseInline(tokens);
      const address = target(href);
      return address === null ? content : html`<a href="${address}">${raw(content)}</a>`.toString();
    },
    image({ href, text: alt }: Tokens.Image) {
      const address = target(href);
      return address === null ? '' : html`<img src="${address}" alt="${alt}" loading="lazy">`.toString();
    },
    table(token: Tokens.Table) {
      const row = (cells: readonly Tokens.TableCell[], tag: 'th' | 'td'): string =>
        `<tr>${cells.map((cell) => `<${tag}>${this.parser.parseInline(cell.tokens)}</${tag}>`).join('')}</tr>`;
      const rows = token.rows.map((cells) => row(cells, 'td')).join('\n');
      return `<div class="table" tabindex="0"><table><thead>${row(token.header, 'th')}</thead><tbody>${rows}</tbody></table></div>\n`;
    },
    html({ text: markup }: Tokens.HTML | Tokens.Tag) {
      return html`${markup}`.toString();
    },
  };
  const body = new Marked({ renderer, async: false }).parse(text, { async: false });
  return { body: raw(body), headings };
}

/** Code with its language and a button that copies it. */
export function codeBlock(code: string, language = ''): Html {
  return html`<div class="code"><pre tabindex="0" data-language="${language}"><code>${code.replace(/\n$/, '')}</code></pre><button type="button" class="copy">Copy</button></div>
`;
}

/** Text whose parts in backticks are code, as descriptions of routes write it. */
export function inlineCode(text: string): Html {
  return html`${text.split('`').map((part, at) => (at % 2 === 1 ? html`<code>${part}</code>` : part))}`;
}

/** The text of a heading without its markup. */
function plainText(tokens: readonly Token[]): string {
  return tokens
    .map((token) =>
      'tokens' in token && token.tokens !== undefined
        ? plainText(token.tokens)
        : 'text' in token
          ? String(token.text)
          : '',
    )
    .join('');
}

/** Anchors as GitHub makes them: lower case, blanks to hyphens, other signs left out, repeated ones numbered. */
function uniqueAnchors(): (text: string) => string {
  const uses = new Map<string, number>();
  return (text) => {
    const anchor = text
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-');
    const count = uses.get(anchor) ?? 0;
    uses.set(anchor, count + 1);
    return count === 0 ? anchor : `${anchor}-${count}`;
  };
}

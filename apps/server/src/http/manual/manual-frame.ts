import { html } from 'hono/html';
import { type Html, inlineText, pagePolicy } from '../html-page.ts';
import { MANUAL_SCRIPT } from './manual-script.ts';
import { MANUAL_STYLE } from './manual-style.ts';

const STYLE = inlineText(MANUAL_STYLE);
const SCRIPT = inlineText(MANUAL_SCRIPT);

/** Allows the style and the script of the manual, its pictures, and requests to this server. */
export const MANUAL_POLICY: string = pagePolicy(
  `script-src ${SCRIPT.source}`,
  `style-src ${STYLE.source}`,
  "img-src 'self'",
  "connect-src 'self'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
);

export interface NavigationLink {
  readonly address: string;
  readonly title: string;
}

export interface NavigationSection {
  readonly title: string;
  readonly links: readonly NavigationLink[];
}

export interface FramedPage {
  readonly title: string;
  /** Of this page, to mark it in the navigation. */
  readonly address: string;
  readonly navigation: readonly NavigationSection[];
  /** Headings of this page. */
  readonly contents: readonly NavigationLink[];
  readonly body: Html;
  readonly version: string;
}

/**
 * A page of the manual with the navigation beside it. Nothing is painted before the script has run, which chooses the
 * language of examples and opens the operation of the address: browsers that know `rel="expect"` wait for what follows it.
 */
export async function framePage(page: FramedPage): Promise<string> {
  const { title, address, navigation, contents, body, version } = page;
  const links = navigation.flatMap((section) => section.links);
  const at = links.findIndex((link) => link.address === address);
  const [before, after] = [links[at - 1], at < 0 ? undefined : links[at + 1]];
  const framed = await html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · gptj-cloud</title>
<link rel="expect" href="#manual-ready" blocking="render">
<style>${STYLE.text}</style>
</head>
<body>
<a class="skip" href="#content">Skip to the text</a>
<header><a class="home" href="/docs">gptj-cloud <small>${version}</small></a><nav aria-label="Site"><a href="/docs">Manual</a><a href="/docs/reference">API reference</a><a href="/">Dashboard</a></nav></header>
<div class="columns">
<div class="side"><button type="button" class="pages" aria-expanded="false" aria-controls="pages">Pages</button>
<div id="pages"><label class="filter">Filter <input type="search" id="filter" autocomplete="off"></label>
<nav aria-label="Pages">${navigation.map((section) => navigationSection(section, address))}</nav></div></div>
<main id="content">
${body}
<footer>${before === undefined ? '' : html`<a rel="prev" href="${before.address}">← ${before.title}</a>`}${
    after === undefined ? '' : html`<a rel="next" href="${after.address}">${after.title} →</a>`
  }</footer>
</main>
${
  contents.length < 2
    ? ''
    : html`<nav class="contents" aria-label="On this page"><b>On this page</b>${contents.map(
        (link) => html`<a href="${link.address}">${link.title}</a>`,
      )}</nav>`
}
</div>
<script>${SCRIPT.text}</script>
<div role="status" class="status" id="manual-ready"></div>
</body>
</html>
`;
  return framed.toString();
}

function navigationSection({ title, links }: NavigationSection, address: string): Html {
  return html`<section><b>${title}</b>${links.map(
    (link) =>
      html`<a href="${link.address}"${link.address === address ? html` aria-current="page"` : ''}>${link.title}</a>`,
  )}</section>`;
}

import { createHash } from 'node:crypto';
import { html, raw } from 'hono/html';

/** Markup whose values are escaped. */
export type Html = ReturnType<typeof html>;

/** An inline script or style that a page's policy allows by its hash. */
export interface InlineText {
  readonly text: Html;
  /** A source of Content-Security-Policy. */
  readonly source: string;
}

/** Text for a `<script>` or `<style>`; it must hold no end tag, so it never comes from a request. */
export function inlineText(text: string): InlineText {
  return { text: raw(text), source: `'sha256-${createHash('sha256').update(text).digest('base64')}'` };
}

/** A policy that allows these directives and nothing else. */
export function pagePolicy(...directives: readonly string[]): string {
  return ["default-src 'none'", ...directives, "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"].join(
    '; ',
  );
}

export interface HtmlPage {
  /** Default 200. */
  readonly status?: number;
  readonly title: string;
  readonly body: Html;
  /** Of the page, see {@link pagePolicy}. */
  readonly policy: string;
}

/** A small page. */
export async function htmlPage({ status = 200, title, body, policy }: HtmlPage): Promise<Response> {
  const page =
    await html`<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title}</title><h1>${title}</h1>${body}</html>`;
  return new Response(page, {
    status,
    headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy },
  });
}

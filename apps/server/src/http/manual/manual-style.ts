/** The style of the manual. Its colours are those of the dashboard (apps/dashboard/src/ui/tokens.css). */
export const MANUAL_STYLE = `
:root {
  color-scheme: light dark;
  --canvas: light-dark(#fbfaf7, #0e1114); --surface: light-dark(#ffffff, #161a1e); --sunken: light-dark(#f4f2ee, #080a0d);
  --ink: light-dark(#1f1d17, #efece8); --muted: light-dark(#615d55, #a6abb1); --line: light-dark(#e0ded8, #2c3136);
  --edge: light-dark(#8c8981, #666d74); --accent: light-dark(#02717a, #46c6cd); --on-accent: light-dark(#ffffff, #03171d);
  --accent-soft: light-dark(#def5f8, #073236); --focus: light-dark(#2e62c9, #9bbeff);
  --sans: system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  --mono: ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace;
  scroll-padding-top: 4rem;
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--canvas); color: var(--ink); font: 400 1rem/1.625 var(--sans); }
a { color: var(--accent); text-underline-offset: .15em; }
:focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; border-radius: 4px; }
.skip { position: absolute; left: -100vw; }
.skip:focus { left: 1rem; top: 1rem; z-index: 2; background: var(--surface); padding: .5rem; }
header { position: sticky; top: 0; z-index: 1; display: flex; gap: 1.5rem; align-items: center; height: 3rem; padding: 0 1.5rem; background: var(--canvas); border-bottom: 1px solid var(--line); }
header a { text-decoration: none; color: var(--muted); font-size: .875rem; }
header a.home { color: var(--ink); font-weight: 600; font-size: 1rem; }
header small { color: var(--muted); font-weight: 400; }
header nav { display: flex; gap: 1.25rem; margin-left: auto; }
.columns { display: grid; grid-template-columns: 15rem minmax(0, 48rem) minmax(0, 14rem); gap: 2.5rem; max-width: 84rem; margin: 0 auto; padding: 0 1.5rem; }
.side, .contents { position: sticky; top: 3rem; align-self: start; max-height: calc(100vh - 3rem); overflow-y: auto; padding: 1.5rem .25rem; font-size: .875rem; line-height: 1.25rem; }
.side .pages { display: none; }
.side nav a, .contents a { display: block; padding: .25rem .5rem; border-radius: 4px; color: var(--muted); text-decoration: none; overflow-wrap: anywhere; }
.side nav a:hover, .contents a:hover, header nav a:hover { color: var(--ink); }
.side nav a[aria-current] { background: var(--accent-soft); color: var(--ink); font-weight: 500; }
.side section { margin-bottom: 1.25rem; }
.side b, .contents b { display: block; padding: .25rem .5rem; font-weight: 600; }
.filter { display: block; margin: 0 .5rem 1rem; color: var(--muted); font-size: .8125rem; }
input, textarea, select { width: 100%; font: inherit; color: var(--ink); background: var(--surface); border: 1px solid var(--edge); border-radius: 4px; padding: .25rem .5rem; }
textarea { font: .8125rem/1.25rem var(--mono); min-height: 9rem; resize: vertical; }
main { padding: 1.5rem 0 4rem; min-width: 0; overflow-wrap: break-word; }
h1 { font: 600 1.625rem/2rem var(--sans); letter-spacing: -.01em; margin: .5rem 0 1rem; text-wrap: balance; }
h2 { font: 600 1.25rem/1.75rem var(--sans); margin: 2.5rem 0 .75rem; }
h3 { font: 600 1rem/1.5rem var(--sans); margin: 2rem 0 .5rem; }
h4 { font: 600 .875rem/1.25rem var(--sans); margin: 1.25rem 0 .5rem; }
a.anchor { color: inherit; text-decoration: none; }
a.anchor:hover { text-decoration: underline; text-decoration-color: var(--edge); }
code, pre { font: .8125rem/1.25rem var(--mono); }
:not(pre) > code { background: var(--sunken); border-radius: 4px; padding: .1rem .3rem; overflow-wrap: anywhere; }
.code { position: relative; margin: 1rem 0; }
pre { margin: 0; padding: .875rem 1rem; overflow-x: auto; background: var(--sunken); border: 1px solid var(--line); border-radius: 8px; }
.code .copy { position: absolute; top: .4rem; right: .4rem; opacity: 0; }
.code:hover .copy, .copy:focus-visible { opacity: 1; }
@media (hover: none) { .code .copy { opacity: 1; } }
button { font: 500 .8125rem/1.125rem var(--sans); color: var(--ink); background: var(--surface); border: 1px solid var(--edge); border-radius: 4px; padding: .25rem .625rem; cursor: pointer; }
button.primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
button[disabled] { opacity: .6; cursor: default; }
.table { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-size: .875rem; line-height: 1.375rem; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .4rem 1rem .4rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; }
img { max-width: 100%; height: auto; border: 1px solid var(--line); border-radius: 8px; }
blockquote { margin: 1rem 0; padding: .1rem 1rem; border-left: 3px solid var(--accent); color: var(--muted); }
footer { display: flex; justify-content: space-between; gap: 1rem; margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--line); font-size: .875rem; }
footer a[rel=next] { margin-left: auto; }
.operation { border: 1px solid var(--line); border-radius: 8px; margin: .75rem 0; background: var(--surface); }
.operation > summary { display: flex; flex-wrap: wrap; gap: .25rem .75rem; align-items: baseline; padding: .6rem .875rem; cursor: pointer; }
.operation > summary b { font: 600 .75rem/1rem var(--mono); min-width: 3.25rem; color: var(--accent); }
.operation > summary code { background: none; padding: 0; color: var(--ink); }
.operation > summary small { flex-basis: 100%; color: var(--muted); font-size: .875rem; }
.operation > div { padding: 0 .875rem 1rem; border-top: 1px solid var(--line); }
.tabs { display: flex; gap: .25rem; margin: .75rem 0 -.5rem; }
.tabs button[aria-selected=true] { background: var(--accent-soft); border-color: var(--accent); }
.try { margin-top: 1rem; padding: .875rem; background: var(--sunken); border-radius: 8px; }
.try label { display: block; margin: .5rem 0; font-size: .8125rem; }
.try .reply { max-height: 24rem; overflow: auto; margin-top: .75rem; white-space: pre-wrap; overflow-wrap: anywhere; background: var(--surface); }
.type { color: var(--muted); font: .75rem/1.25rem var(--mono); }
.required { color: var(--accent); font-size: .75rem; }
td .table { margin: .25rem 0; }
td:first-child { white-space: nowrap; }
td code { overflow-wrap: normal; }
@media (max-width: 48rem) { td:first-child { white-space: normal; } }
.status { position: absolute; left: -100vw; }
[hidden] { display: none !important; }
@media (max-width: 75rem) { .columns { grid-template-columns: 15rem minmax(0, 1fr); } .contents { display: none; } }
@media (max-width: 48rem) {
  .columns { grid-template-columns: minmax(0, 1fr); gap: 0; padding: 0 1rem; }
  .side { position: static; max-height: none; padding: .75rem 0; border-bottom: 1px solid var(--line); }
  .side .pages { display: block; }
  .side:not([data-open]) #pages { display: none; }
  #pages { padding-top: .75rem; }
  header { padding: 0 1rem; gap: .75rem; } header nav { gap: .875rem; } header small { display: none; }
}
`;

// Replaces the generated section between two marker comments of a page; text outside is unchanged.

/**
 * `page` with the section `name` replaced by `content`. Throws when the page lacks the markers.
 *
 * The markers are `<!-- generated: NAME -->` and `<!-- end: NAME -->`, each on its own line.
 */
export function replaceSection(page, name, content) {
  const begin = `<!-- generated: ${name} -->\n`;
  const end = `<!-- end: ${name} -->`;
  const from = page.indexOf(begin);
  const to = page.indexOf(end, from);
  if (from < 0 || to < 0)
    throw new Error(`expected the lines ${JSON.stringify(begin.trim())} and ${JSON.stringify(end)}`);
  return `${page.slice(0, from + begin.length)}\n${content.trim()}\n\n${page.slice(to)}`;
}

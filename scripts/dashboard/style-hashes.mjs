// Hashes for `style-src`: the constant styles that react-aria inserts into the page. They are read from the installed
// package, so that an update of it cannot make the policy wrong without a failing build or a changed hash.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const INSERTED = /createElement\(['"]style['"]\)[\s\S]{0,800}?\.textContent = `([^`]*)`(\.trim\(\))?/g;
const CREATED = /createElement\(['"]style['"]\)/g;

/** Sources of Content-Security-Policy for the styles that modules below `folder` insert, sorted. */
export function styleHashes(folder) {
  const hashes = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.mjs'))
    .flatMap((name) => insertedStyles(readFileSync(join(folder, name), 'utf8'), name))
    .map((style) => `sha256-${createHash('sha256').update(style).digest('base64')}`);
  return [...new Set(hashes)].toSorted();
}

/** The texts of the style elements that a module inserts. Throws where one is not a constant. */
export function insertedStyles(source, name) {
  const styles = [...source.matchAll(INSERTED)].map(([, template = '', trim]) => {
    const text = template.replaceAll(/\$\{([\w$]+)\}/g, (_, constant) => constantOf(source, constant, name));
    if (text.includes('$' + '{')) throw new Error(`${name}: expected a style without expressions, got ${text}`);
    return trim === undefined ? text : text.trim();
  });
  const created = source.match(CREATED)?.length ?? 0;
  if (created !== styles.length) {
    throw new Error(`${name}: expected ${created} constant styles, found ${styles.length}; see ${import.meta.url}`);
  }
  return styles;
}

function constantOf(source, constant, name) {
  const escaped = constant.replaceAll('$', '\\$');
  const value = new RegExp(`const ${escaped} = ['"]([^'"\\\\]*)['"]`).exec(source)?.[1];
  if (value === undefined) throw new Error(`${name}: expected a constant text ${constant}, found none`);
  return value;
}

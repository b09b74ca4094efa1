// Imports and exports of a TypeScript or JavaScript module, read line by line: the formatter puts every import and export
// statement at the beginning of a line, and none of them has nested braces. It reads only this project's
// formatted sources, not arbitrary modules.

const STATEMENT = new RegExp(
  [
    "^import '(?<effect>[^']+)'",
    String.raw`^import (?:type )?(?<clause>[\w$*][^';]*?|\{[^}]*\}|[\w$]+, \{[^}]*\}) from '(?<from>[^']+)'`,
    String.raw`^export (?:type )?\{(?<list>[^}]*)\}(?: from '(?<reexport>[^']+)')?`,
    String.raw`^export (?:type )?\*(?: as (?<group>[\w$]+))? from '(?<everything>[^']+)'`,
    String.raw`^export (?:default |declare |abstract |async )*(?<kind>function\*?|class|const|let|interface|type|enum|namespace) (?<name>[\w$]+)`,
    // Anywhere in a line: `await import('…')` and the type `import('…')`.
    String.raw`\bimport\(\s*'(?<dynamic>[^']+)'\s*\)`,
  ].join('|'),
  'gm',
);

/**
 * - `imports`: `{ from, line, names, all, isReexport }` for every module named; `names` are those of the other module,
 *   `all` is true when every name of it may be used (`import * as`, `export *`, a call of `import()`).
 * - `exports`: `{ name, line, local, from, isType }`; for a re-export `from` is the module, and `local` its name there;
 *   for `export *` both names are `*`. `isType` is true for declarations of types.
 */
export function scanModule(text) {
  const source = withoutComments(text);
  const imports = [];
  const exports = [];
  for (const found of source.matchAll(STATEMENT)) {
    const line = source.slice(0, found.index).split('\n').length;
    const { effect, clause, from, list, reexport, group, everything, kind, name, dynamic } = found.groups;
    if (effect !== undefined) imports.push({ from: effect, line, names: [], all: false });
    else if (from !== undefined) imports.push({ from, line, ...namesOfClause(clause) });
    else if (list !== undefined) {
      const entries = namesOfList(list);
      for (const entry of entries) exports.push({ name: entry.as, local: entry.name, line, from: reexport ?? null });
      if (reexport !== undefined)
        imports.push({ from: reexport, line, names: entries.map((one) => one.name), all: false, isReexport: true });
    } else if (everything !== undefined) {
      exports.push({ name: group ?? '*', local: '*', line, from: everything });
      imports.push({ from: everything, line, names: [], all: true, isReexport: true });
    } else if (name !== undefined)
      exports.push({
        name: found[0].startsWith('export default') ? 'default' : name,
        local: name,
        line,
        from: null,
        isType: kind === 'type' || kind === 'interface',
      });
    else imports.push({ from: dynamic, line, names: [], all: true });
  }
  return { imports, exports };
}

function namesOfClause(clause) {
  const list = /\{([^}]*)\}/.exec(clause)?.[1];
  if (list !== undefined) return { names: namesOfList(list).map(({ name }) => name), all: false };
  if (clause.includes('*')) return { names: [], all: true };
  return { names: ['default'], all: false };
}

function namesOfList(list) {
  return list
    .split(',')
    .map((entry) => entry.trim().replace(/^type /, ''))
    .filter((entry) => entry !== '')
    .map((entry) => {
      const [name, as = name] = entry.split(/\s+as\s+/);
      return { name, as };
    });
}

/** The text with block and line comments blanked, so that lines keep their numbers. */
function withoutComments(text) {
  return text
    .replace(/^[ \t]*\/\*.*?\*\//gms, (comment) => comment.replace(/[^\n]/g, ' '))
    .replace(/^[ \t]*\/\/.*$/gm, '');
}

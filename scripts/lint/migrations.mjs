// Check: a migration that takes something from programs of the version before raises `min_reader`, so that they do not start.
const MIGRATION = /^apps\/server\/src\/store\/migrations\/(\d{4})-[a-z0-9-]+\.sql$/;
/** Released before programs started on newer schemas. */
const LAST_UNCHECKED = 30;

/** What an older program may read, write or name. Adding a nullable column, a table or an index that is not unique takes nothing. */
const CONTRACTING = [
  [/\bDROP\b/i, 'drops'],
  [/\bRENAME\b/i, 'renames'],
  [/\bALTER\s+(?:COLUMN\s+)?"?\w+"?\s+(?:SET\s+DATA\s+)?TYPE\b/i, 'changes a type'],
  [/\bSET\s+NOT\s+NULL\b/i, 'forbids NULL'],
  [/\bALTER\s+TABLE\b[\s\S]*\bADD\s+(?:CONSTRAINT|CHECK|UNIQUE|PRIMARY|FOREIGN|EXCLUDE)\b/i, 'adds a constraint'],
  [/\bCREATE\s+UNIQUE\s+INDEX\b/i, 'adds a unique index'],
  [/\bCREATE\s+OR\s+REPLACE\b/i, 'replaces'],
  [/\bCREATE\s+(?:CONSTRAINT\s+)?TRIGGER\b/i, 'adds a trigger'],
];
const ADDED_COLUMN = /\bADD\s+(?:COLUMN\s+)?(?:IF\s+NOT\s+EXISTS\s+)?"?\w+"?\s[^,;]*/gi;

/** Findings for `files` (`{ path, text }`). */
export function checkMigrations(files) {
  const migrations = files
    .flatMap(({ path, text }) => {
      const number = MIGRATION.exec(path)?.[1];
      return number === undefined ? [] : [{ path, text, version: Number(number) }];
    })
    .sort((a, b) => a.version - b.version);
  let before = 0;
  return migrations.flatMap(({ path, text, version }) => {
    const minReader = statedMinReader(text) ?? version;
    const raises = minReader > before;
    const findings = [];
    if (minReader > version) findings.push(`${path}: min_reader ${minReader}, expected at most its own number`);
    const created = new Set();
    for (const statement of statementsOf(text)) {
      const table = /^CREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?"?(\w+)/i.exec(statement)?.[1];
      if (table !== undefined) created.add(table);
      const what = table === undefined && !isAboutNew(statement, created) ? contraction(statement) : null;
      if (what === null || raises || version <= LAST_UNCHECKED) continue;
      findings.push(
        `${path}: "${statement.replace(/\s+/g, ' ').slice(0, 60)}" ${what}, which a program of the version before may not survive; ` +
          `expected a min_reader above ${before}, got ${minReader}`,
      );
    }
    before = Math.max(before, minReader);
    return findings;
  });
}

function statedMinReader(text) {
  const stated = /^-- min_reader: (\d+)(?:\n|$)/.exec(text)?.[1];
  return stated === undefined ? undefined : Number(stated);
}

/** No older program knows a table that the same migration has made. */
function isAboutNew(statement, created) {
  const table = /^(?:ALTER\s+TABLE|CREATE\s+UNIQUE\s+INDEX\s+"?\w+"?\s+ON)\s+"?(\w+)/i;
  const ofTrigger = /^CREATE\s+TRIGGER\b[^']*?\bON\s+"?(\w+)/i;
  const target = (table.exec(statement) ?? ofTrigger.exec(statement))?.[1];
  return target !== undefined && created.has(target);
}

function contraction(statement) {
  for (const [pattern, what] of CONTRACTING) if (pattern.test(statement)) return what;
  if (!/^ALTER\s+TABLE\b/i.test(statement)) return null;
  const added = statement.match(ADDED_COLUMN) ?? [];
  const needed = added.some((column) => /\bNOT\s+NULL\b/i.test(column) && !/\bDEFAULT\b/i.test(column));
  return needed ? 'adds a column that must have a value' : null;
}

/** Statements without comments and texts; the bodies of functions are texts. */
function statementsOf(sql) {
  return sql
    .replace(/--[^\n]*/g, '')
    .replace(/\$(\w*)\$[\s\S]*?\$\1\$/g, "''")
    .replace(/'(?:[^']|'')*'/g, "''")
    .split(';')
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}

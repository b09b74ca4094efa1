// The regular expressions of a TypeScript module, with or without JSX: literals, and `RegExp` with a text or a template.
import { parseAst } from 'vite';

/** `{ source, flags, line }` of each; `source` is null when the pattern is computed and cannot be read. */
export function findRegexes(text, path) {
  const found = [];
  const push = (source, flags, { start }) => {
    found.push({ source, flags, line: text.slice(0, start).split('\n').length });
  };
  walk(parseAst(text, { lang: path.endsWith('x') ? 'tsx' : 'ts' }), (node) => {
    if (node.type === 'Literal' && node.regex !== undefined) push(node.regex.pattern, node.regex.flags, node);
    const constructs = node.type === 'NewExpression' || node.type === 'CallExpression';
    if (!constructs || node.callee.type !== 'Identifier' || node.callee.name !== 'RegExp') return;
    const [pattern, flags] = node.arguments;
    if (pattern === undefined || pattern.regex !== undefined) return;
    push(readText(pattern), flags === undefined ? '' : (readText(flags) ?? ''), node);
  });
  return found;
}

function walk(value, visit) {
  if (Array.isArray(value)) for (const each of value) walk(each, visit);
  else if (typeof value === 'object' && value !== null) {
    if (typeof value.type === 'string') visit(value);
    for (const each of Object.values(value)) walk(each, visit);
  }
}

/** A literal text, or a template whose substitutions count as one letter. Null for every other expression. */
function readText(node) {
  if (node.type === 'Literal' && typeof node.value === 'string') return node.value;
  if (node.type === 'TemplateLiteral') return node.quasis.map(({ value }) => value.cooked).join('x');
  if (node.type !== 'TaggedTemplateExpression' || !isStringRaw(node.tag)) return null;
  return node.quasi.quasis.map(({ value }) => value.raw).join('x');
}

function isStringRaw({ type, object, property }) {
  return type === 'MemberExpression' && object.name === 'String' && property.name === 'raw';
}

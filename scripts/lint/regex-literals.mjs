// The regular expressions of a TypeScript or JavaScript module: literals, and `new RegExp` with a text or a template.
const NAME = /[\w$]/;
/** After these words a slash begins a regular expression; after any other word it divides. */
const BEFORE_EXPRESSION = new Set([
  'return',
  'typeof',
  'case',
  'in',
  'of',
  'delete',
  'void',
  'throw',
  'new',
  'else',
  'do',
  'await',
  'yield',
]);

/** `{ source, flags, line }` of each; `source` is null when the pattern is computed and cannot be read. */
export function findRegexes(text) {
  const found = [];
  const lineAt = (at) => text.slice(0, at).split('\n').length;
  let at = text.startsWith('#!') ? text.indexOf('\n') : 0;
  // The last token that is no comment: a word, or one character.
  let last = '';
  // Depth of braces at which each open template goes on.
  const templates = [];
  let depth = 0;
  const push = (source, flags, from) => found.push({ source, flags, line: lineAt(from) });

  while (at < text.length) {
    const c = text[at];
    const pair = text.slice(at, at + 2);
    if (pair === '//') at = endOf(text, '\n', at);
    else if (pair === '/*') at = endOf(text, '*/', at) + 2;
    else if (c === "'" || c === '"') {
      at = afterString(text, at);
      last = c;
    } else if (c === '`') {
      at = template(at + 1);
      last = text[at - 1];
    } else if (c === '}' && templates.at(-1) === depth) {
      templates.pop();
      depth--;
      at = template(at + 1);
      last = text[at - 1];
    } else if (c === '/' && beginsRegex(last)) {
      const end = afterRegex(text, at);
      const flags = wordAt(text, end);
      push(text.slice(at + 1, end - 1), flags, at);
      at = end + flags.length;
      last = ')';
    } else if (NAME.test(c)) {
      const word = wordAt(text, at);
      if (word === 'RegExp' && text[at + 6] === '(') constructed(at);
      at += word.length;
      last = word;
    } else {
      if (c === '{') depth++;
      if (c === '}') depth--;
      // `list[0]! / 2`: the mark after a value asserts that it is there.
      const isAssertion = c === '!' && /[\w$)\]]/.test(text[at - 1] ?? '') && text[at + 1] !== '=';
      if (c.trim() !== '') last = isAssertion ? ')' : c;
      at++;
    }
  }
  return found;

  /** Skip the characters of a template up to its end or the next substitution. */
  function template(from) {
    let i = from;
    while (i < text.length && text[i] !== '`') {
      if (text[i] === '\\') i++;
      else if (text.startsWith('${', i)) {
        templates.push(++depth);
        return i + 2;
      }
      i++;
    }
    return i + 1;
  }

  function constructed(from) {
    const start = from + 'RegExp('.length;
    const argument = text.slice(start).trimStart();
    if (argument.startsWith('/')) return;
    const body = readText(argument);
    if (body === null) return push(null, '', from);
    push(body.value, /^\s*,\s*'([a-z]+)'/.exec(argument.slice(body.length))?.[1] ?? '', from);
  }
}

/** A literal text, or a template whose substitutions count as one letter. Null for every other expression. */
function readText(expression) {
  const raw = expression.startsWith('String.raw`');
  const start = raw ? 'String.raw'.length : 0;
  const quote = expression[start];
  if (quote !== "'" && quote !== '"' && quote !== '`') return null;
  let value = '';
  let i = start + 1;
  while (i < expression.length && expression[i] !== quote) {
    if (quote === '`' && expression.startsWith('${', i)) {
      let open = 0;
      do {
        if (expression[i] === '{') open++;
        if (expression[i] === '}') open--;
        i++;
      } while (open > 0 || expression[i - 1] === '$');
      value += 'x';
    } else if (expression[i] === '\\' && !raw) {
      const escapes = { n: '\n', r: '\r', t: '\t' };
      value += escapes[expression[i + 1]] ?? expression[i + 1];
      i += 2;
    } else value += expression[i++];
  }
  // Joined texts cannot be read.
  return /^\s*[,)]/.test(expression.slice(i + 1)) ? { value, length: i + 1 } : null;
}

function beginsRegex(last) {
  if (last === '') return true;
  if (NAME.test(last[0])) return BEFORE_EXPRESSION.has(last);
  return ![')', ']', '}', "'", '"', '`'].includes(last);
}

function wordAt(text, at) {
  let end = at;
  while (end < text.length && NAME.test(text[end])) end++;
  return text.slice(at, end);
}

function afterString(text, at) {
  let i = at + 1;
  while (i < text.length && text[i] !== text[at]) i += text[i] === '\\' ? 2 : 1;
  return i + 1;
}

function afterRegex(text, at) {
  let i = at + 1;
  let inClass = false;
  while (i < text.length && (inClass || text[i] !== '/')) {
    if (text[i] === '\\') i++;
    else if (text[i] === '[') inClass = true;
    else if (text[i] === ']') inClass = false;
    i++;
  }
  return i + 1;
}

function endOf(text, mark, at) {
  const end = text.indexOf(mark, at);
  return end === -1 ? text.length : end;
}

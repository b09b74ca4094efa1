// A parser of JavaScript's regular expressions into a tree, just deep enough to measure what a failing match costs.

/**
 * Nodes: `{ kind: 'char', atom }`, `'sequence'` and `'choice'` with `parts`, `'repeat'` with `part`, `min`, `max`,
 * `'start'`, `'end'`, `'condition'` (`part` of a lookaround, or null for `\b` and back-references).
 */
export function parseRegex(source, flags) {
  let at = 0;
  const unicode = flags.includes('u') || flags.includes('v');
  const tree = choice();
  if (at < source.length) throw new Error(`cannot read the regular expression at ${at}: ${source}`);
  return tree;

  function choice() {
    const parts = [sequence()];
    while (source[at] === '|') {
      at++;
      parts.push(sequence());
    }
    return parts.length === 1 ? parts[0] : { kind: 'choice', parts };
  }

  function sequence() {
    const parts = [];
    while (at < source.length && source[at] !== '|' && source[at] !== ')') parts.push(repeated(term()));
    return { kind: 'sequence', parts };
  }

  function repeated(part) {
    const quantifier = /(?:[*+?]|\{(\d+)(?:(,)(\d*))?\})\??/y;
    quantifier.lastIndex = at;
    const match = quantifier.exec(source);
    if (match === null) return part;
    at = quantifier.lastIndex;
    const [text, least, comma, most] = match;
    const max = (digits) => (digits === '' ? Number.POSITIVE_INFINITY : Number(digits));
    const [from, to] =
      least === undefined
        ? { '*': [0, max('')], '+': [1, max('')], '?': [0, 1] }[text[0]]
        : [Number(least), comma === undefined ? Number(least) : max(most)];
    return { kind: 'repeat', part, min: from, max: to };
  }

  function term() {
    const c = source[at];
    if (c === '(') return group();
    if (c === '^' || c === '$') {
      at++;
      return { kind: c === '^' ? 'start' : 'end' };
    }
    if (c === '[') return charTo(endOfClass());
    if (c === '\\') return escaped();
    return charTo(at + (unicode ? String.fromCodePoint(source.codePointAt(at)).length : 1));
  }

  function group() {
    const opening = /\((?:\?(?:<?[=!]|:|<[\w$]+>))?/y;
    opening.lastIndex = at;
    const [text] = opening.exec(source);
    at = opening.lastIndex;
    const part = choice();
    at++;
    return /[=!]$/.test(text) ? { kind: 'condition', part } : part;
  }

  function escaped() {
    const reference = /\\(?:[bB]|[1-9]\d*|k<[\w$]+>)/y;
    reference.lastIndex = at;
    if (reference.test(source)) {
      at = reference.lastIndex;
      return { kind: 'condition', part: null };
    }
    const long = /\\(?:[pP]\{[^}]*\}|u\{[0-9a-fA-F]+\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|c[A-Za-z])/y;
    long.lastIndex = at;
    return charTo(long.test(source) ? long.lastIndex : at + 2);
  }

  function charTo(end) {
    const atom = source.slice(at, end);
    at = end;
    return { kind: 'char', atom };
  }

  function endOfClass() {
    let i = at + 1;
    while (i < source.length && source[i] !== ']') i += source[i] === '\\' ? 2 : 1;
    return i + 1;
  }
}

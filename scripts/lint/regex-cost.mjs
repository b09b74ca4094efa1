// Check: no regular expression takes more than linear time on a long input. The engine of JavaScript backtracks, so a match
// that fails tries every way to divide the input between repetitions, and a search tries them from every place.
//
// The expression becomes an automaton whose states are its characters. It is refused when one text can be read in a number
// of ways that grows with its length, and a match can fail after it (Weber and Seidl's criteria of ambiguity).
import { findRegexes } from './regex-literals.mjs';
import { parseRegex } from './regex-tree.mjs';

const CHECKED = /^(?:apps|packages)\/.*\.tsx?$/;
const TEST = /\.(?:test|contract|fixture)\.tsx?$|\/testing\//;
/** Copies of a part that stand for any larger bounded number: a bound adds a factor, no power of the length. */
const MAX_COPIES = 2;

/** Findings for `files` (`{ path, text }`). */
export function checkRegexCost(files) {
  return files
    .filter(({ path }) => CHECKED.test(path) && !TEST.test(path))
    .flatMap(({ path, text }) =>
      findRegexes(text, path).flatMap(({ source, flags, line }) => {
        if (source === null) return [`${path}:${line}: the pattern of a RegExp is computed; write it as a literal`];
        const cost = regexCost(source, flags);
        if (cost === null) return [];
        return [
          `${path}:${line}: /${source}/${flags} takes ${cost} time on a long input; scan with a loop, or bound it`,
        ];
      }),
    );
}

/** `'quadratic'` (or more), `'exponential'`, or null for linear time. */
export function regexCost(source, flags = '') {
  const conditions = [];
  const tree = parseRegex(source, flags);
  const costs = [costOf(tree, flags, !flags.includes('y'), source, conditions)];
  for (const part of conditions) costs.push(costOf(part, flags, true, source, []));
  return costs.includes('exponential') ? 'exponential' : (costs.find((cost) => cost !== null) ?? null);
}

function costOf(tree, flags, isSearch, source, conditions) {
  const { states, next } = automaton(tree, flags, isSearch, source, conditions);
  const reach = reachable(next);
  const loops = states.map((_, at) => at).filter((at) => reach[at].has(at));
  for (const q of loops) {
    if (states[q].accepts) continue;
    if (readsTwice(states, next, reach, q)) return 'exponential';
  }
  for (const p of loops) {
    for (const q of loops) {
      if (p === q || states[q].accepts || !reach[p].has(q)) continue;
      if (sharesText(states, next, reach, p, q)) return 'quadratic';
    }
  }
  return null;
}

/** Whether one text leads from q back to q in two ways. */
function readsTwice(states, next, reach, q) {
  const inLoop = (at) => reach[at].has(q) && reach[q].has(at);
  const seen = new Set();
  const work = [[q, q, false]];
  while (work.length > 0) {
    const [a, b, differs] = work.pop();
    for (const [x, times] of next[a]) {
      if (!inLoop(x)) continue;
      for (const [y] of next[b]) {
        if (!inLoop(y) || !overlap(states[x].set, states[y].set)) continue;
        const parted = differs || x !== y || (a === b && times > 1);
        if (parted && x === q && y === q) return true;
        const key = `${x} ${y} ${parted}`;
        if (seen.has(key)) continue;
        seen.add(key);
        work.push([x, y, parted]);
      }
    }
  }
  return false;
}

/** Whether one text leads from p to p, from p to q and from q to q: then p may end, and q begin, at any place of it. */
function sharesText(states, next, reach, p, q) {
  const stays = (at, home) => reach[at].has(home) && reach[home].has(at);
  const seen = new Set();
  const work = [[p, p, q]];
  while (work.length > 0) {
    const [a, b, c] = work.pop();
    for (const [x] of next[a]) {
      if (!stays(x, p)) continue;
      for (const [z] of next[c]) {
        if (!stays(z, q)) continue;
        for (const [y] of next[b]) {
          if (y !== q && !reach[y].has(q)) continue;
          if (!overlap(states[x].set, states[y].set, states[z].set)) continue;
          if (x === p && y === q && z === q) return true;
          const key = `${x} ${y} ${z}`;
          if (seen.has(key)) continue;
          seen.add(key);
          work.push([x, y, z]);
        }
      }
    }
  }
  return false;
}

/**
 * States are the characters of the expression: `set` is what one matches, `accepts` whether the match may end after it
 * whatever follows. `next[at]` maps a state to the number of ways (1 or 2) to get there without reading.
 */
function automaton(tree, flags, isSearch, source, conditions) {
  const nodes = [];
  const node = (fields) => nodes.push({ edges: [], ...fields }) - 1;
  const edge = (from, to, condition = null) => nodes[from].edges.push({ to, condition });
  const sets = charSets(source, flags);
  const accept = node({});
  const begin = node({});
  edge(begin, build(tree, accept));
  if (isSearch) {
    // A search may begin after any text.
    for (const set of [sets.inLine, sets.newline]) {
      const skip = node({ set });
      edge(begin, skip);
      if (set === sets.newline) {
        edge(skip - 1, skip);
        edge(skip, skip - 1);
      }
      edge(skip, skip);
      edge(skip, nodes[begin].edges[0].to);
    }
  }
  const consuming = [...nodes.keys()].filter((at) => nodes[at].set !== undefined);
  const index = new Map(consuming.map((at, i) => [at, i]));
  const states = [];
  const next = [];
  for (const at of consuming) {
    const ways = new Map();
    let accepts = false;
    const afterNewline = nodes[at].set === sets.newline || flags.includes('m');
    const walk = (from, path) => {
      for (const used of nodes[from].edges) {
        const { to, condition } = used;
        if (condition === 'start' && !(flags.includes('m') && afterNewline && overlap(nodes[at].set, sets.newline)))
          continue;
        const isSure = path.isSure && condition === null;
        if (to === accept) accepts ||= isSure;
        else if (index.has(to)) ways.set(index.get(to), Math.min(2, (ways.get(index.get(to)) ?? 0) + 1));
        else if (!path.used.has(used)) walk(to, { isSure, used: new Set([...path.used, used]) });
      }
    };
    walk(at, { isSure: true, used: new Set() });
    states.push({ set: nodes[at].set, accepts });
    next.push(ways);
  }
  return { states, next };

  /** The first node of `tree`, from which a match goes on to `to`. */
  function build({ kind, atom, parts, part, min, max }, to) {
    if (kind === 'char') {
      const at = node({ set: sets.of(atom) });
      edge(at, to);
      return at;
    }
    if (kind === 'sequence') return parts.reduceRight((after, one) => build(one, after), to);
    if (kind === 'choice') {
      const at = node({});
      for (const one of parts) edge(at, build(one, to));
      return at;
    }
    if (kind === 'repeat') {
      const least = Math.min(min, MAX_COPIES);
      let first = to;
      if (max === Number.POSITIVE_INFINITY) {
        const loop = node({});
        edge(loop, build(part, loop));
        edge(loop, to);
        first = loop;
      } else {
        for (let i = 0; i < Math.min(max - min, MAX_COPIES); i++) {
          const skip = node({});
          edge(skip, build(part, first));
          edge(skip, to);
          first = skip;
        }
      }
      for (let i = 0; i < least; i++) first = build(part, first);
      return first;
    }
    if (part) conditions.push(part);
    const at = node({});
    edge(at, to, kind);
    return at;
  }
}

/** Sets of sample characters. The engine itself says what an atom matches. */
function charSets(source, flags) {
  const isUnicode = flags.includes('u') || flags.includes('v');
  const samples = new Set(Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)));
  for (const c of ['\u2028', '\u3000', '\u4e00', '\u0301', '\ufeff', '\ud800']) samples.add(c);
  if (isUnicode) samples.add('\u{1f600}');
  for (const c of source) samples.add(c);
  const known = new Map();
  const plain = flags.replaceAll(/[gym]/g, '');
  return {
    inLine: new Set([...samples].filter((c) => c !== '\n')),
    newline: new Set(['\n']),
    of(atom) {
      const one = new RegExp(`^(?:${atom})$`, plain);
      const set = known.get(atom) ?? new Set([...samples].filter((c) => one.test(c)));
      known.set(atom, set);
      return set;
    },
  };
}

function overlap(first, ...others) {
  for (const c of first) if (others.every((set) => set.has(c))) return true;
  return false;
}

function reachable(next) {
  return next.map((ways) => {
    const seen = new Set(ways.keys());
    for (const at of seen) for (const to of next[at].keys()) seen.add(to);
    return seen;
  });
}

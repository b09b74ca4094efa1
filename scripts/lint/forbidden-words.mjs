// Words that names, comments, texts, docs and test titles must not contain, and replacements. Patterns are matched
// against every line of every text file, and every path.

/** Each: a pattern and its replacement. Former identifiers are listed, so that they are not reintroduced. */
export const FORBIDDEN_WORDS = [
  {
    pattern: /\b(?:some|any|every|no)body\b/i,
    instead: 'name the actor: the client, the caller, the operator, no server',
  },
  { pattern: /\bwhoever\b/i, instead: 'name the actor' },
  { pattern: /(?<![a-zA-Z])wish|Wish/, instead: 'request, option, choice: say which' },
  { pattern: /\b(?:told|tells)\b/i, instead: 'say which: sent, reported, notified, returned, distinguished, logged' },
  { pattern: /\bsa(?:y|ys|id|ying) so\b/i, instead: 'say what is reported, and where' },
  { pattern: /\bso many\b/i, instead: 'the number: `count` tokens, at most `max` rows' },
  {
    pattern:
      /\bwhat (?:is|are|was|were) (?:asked|given|said|told|meant|wanted|due|settled|sent|stored|kept|done|charged|held)\b/i,
    instead: 'the noun: the request, the arguments, the reply, the stored row, the charge',
  },
  { pattern: /\b(?:own|house's|else's) words?\b|\bthe word of\b/i, instead: 'name the text, or who states it' },
  { pattern: /\b(?:MOST|LEAST|LONGEST|SHORTEST|FEWEST)_/, instead: 'MAX_ or MIN_' },
  { pattern: /(?<!\bat )\b(?:least|most)\??:/, instead: 'options named min and max' },
  { pattern: /(?:expected|got) an? (?:text|list)\b/, instead: 'expected a string, got an array' },
  { pattern: /tellWithinMs|unwatched/i, instead: 'EVENT_COALESCE_MS, maxEventDelayMs' },
  { pattern: /paysFor|fulfil(?!l)/i, instead: 'planForPrice, applyPlanChange; fulfill' },
  { pattern: /(?<![a-z])judg|Judg/, instead: 'check, decide, measure; checkPlan' },
  { pattern: /forgetHolder/, instead: 'removeHeartbeat' },
  {
    pattern: /countFailure|uncount|takeBack|countAsking/,
    instead: 'recordAttempt, refundAttempt, enforceRateLimit, refundRateLimit',
  },
  { pattern: /\bTurns(?=[<(;,.]| \})/, instead: 'Mutex' },
  { pattern: /step-?clock/i, instead: 'BatchCostModel' },
  { pattern: /prefix-?keeper|keepNext/i, instead: 'PrefixPersister, recordReuse, persistNext' },
  // Golden files name the release that they were recorded with `era`; code that reads them has to.
  { pattern: /\bEra\b|\b(?:this|that|each|the|of|in|an|no|which) eras?\b/, instead: 'CompatVersion' },
  // `gptj.lifted` is a key in model files.
  { pattern: /(?<!gptj\.)\blift(?:[A-Z]|ed|s|ing)?(?!off)|Lifted/, instead: 'phi2 export, exported' },
  {
    pattern: /\b(?:applyChain|buildChain|ChainRow|NamedLink|customLink)\b|\b(?:interface|type) (?:Chain|Link)\b/,
    instead: 'LogitsProcessorList, LogitsProcessor',
  },
];

/** Files that state other people's words, or these: never looked into. */
export const UNCHECKED_FILES = [
  /^CHANGELOG\.md$/,
  /^LICENSE$/,
  /^package-lock\.json$/,
  /(?:^|\/)(?:fixtures|goldens)\/.*\.(?!ts$|mjs$|md$)[^/]*$/,
  // Recorded exchanges, vocabularies, texts for evaluation.
  /^models\//,
  // Applied migrations are known by their SHA-256.
  /\/migrations\/.*\.sql$/,
  /^scripts\/lint\/(?:forbidden-words|plain-words\.test)\.mjs$/,
  /^scripts\/lint\/word-counts\.json$/,
];

/** What the server would say about parameters, by the server's own code, without a request. */
import {
  chooseDefaults,
  contextExceeded,
  type DecodingMode,
  fitsContext,
  mergeGenerationConfig,
  nearestName,
  type ParameterDescription,
  ParameterError,
  parseRunParameters,
  RUN_DEFAULTS,
  readGenerateParameters,
  selectingParameters,
} from '@gptj-cloud/decoding';
import { catalogueOf, compatOf, type Parameters } from './catalogue.ts';

/** The served model, as far as parameters depend on it. */
export interface ModelFacts {
  /** Maximum length of prompt and output together, in tokens. */
  readonly contextLength: number;
  readonly vocabSize: number;
}

export interface ParameterCheck {
  /** Null where the parameters are refused. */
  readonly mode: DecodingMode | null;
  /** The given parameters that selected the mode; none: a default did. */
  readonly because: readonly string[];
  readonly doSample: boolean;
  /** What `do_sample` would be if it were not given. */
  readonly samplesByDefault: boolean;
  /** By name: the server's sentence about a given parameter that has no effect, or a caution. */
  readonly warnings: ReadonlyMap<string, string>;
  readonly refusal: ParameterRefusal | null;
}

/** The error that a run with these parameters would get. */
export interface ParameterRefusal {
  readonly names: readonly string[];
  readonly message: string;
  /** Known names for unknown ones. */
  readonly corrections: readonly { readonly name: string; readonly meant: string }[];
}

/** GPT-J's end of text; a smaller vocabulary has none. */
const EOS = 50_256;
/** Characters of one token, about: texts in parameters are counted by it, as the server's tokenizer is not here. */
const CHARACTERS_PER_TOKEN = 4;

export function checkParameters(parameters: Parameters, model: ModelFacts, promptTokens: number): ParameterCheck {
  try {
    const given = mergeGenerationConfig(fieldsOf(parameters), fieldsOfObject);
    if (!fitsContext(given, promptTokens, model.contextLength)) {
      return refused([], contextExceeded(model.contextLength), parameters);
    }
    const { config, warnings } = parseRunParameters(given, promptTokens, (fields, { defaults, otherNames }) =>
      readGenerateParameters(fields, {
        vocabSize: model.vocabSize,
        contextLength: model.contextLength,
        eosTokenId: model.vocabSize > EOS ? EOS : null,
        // Whether the engine has early exits is known to the server alone, and says it before the run.
        earlyExitLayers: 64,
        encodeText: (text) => Array.from({ length: Math.ceil(text.length / CHARACTERS_PER_TOKEN) }, () => 0),
        checkPattern: () => {},
        defaults,
        otherNames,
      }),
    );
    return {
      mode: config.mode,
      because: selectingParameters(config.mode, given),
      doSample: config.doSample,
      samplesByDefault: samplesByDefault(given),
      warnings: new Map(warnings.map((sentence) => [/^\w+/.exec(sentence)?.[0] ?? '', sentence])),
      refusal: null,
    };
  } catch (error) {
    if (!(error instanceof ParameterError)) throw error;
    return refused(error.parameters, error.message, parameters);
  }
}

/** Why a parameter that is not given would have no effect now, as the server says it; null where it would have one. */
export function idleReason(parameter: ParameterDescription, { mode, doSample }: ParameterCheck): string | null {
  const { otherwise, modes, needsSampling, name } = parameter;
  if (mode === null || otherwise === undefined) return null;
  const acts = needsSampling ? doSample || (modes.includes(mode) && !SAMPLING.has(mode)) : modes.includes(mode);
  return acts ? null : `${name} is ignored: ${otherwise}`;
}

/** Modes that act with `do_sample` alone, and DoLa, which also works without. */
const SAMPLING: ReadonlySet<DecodingMode> = new Set(['sample', 'beam-sample', 'dola']);

function refused(names: readonly string[], message: string, parameters: Parameters): ParameterCheck {
  const known = catalogueOf(compatOf(parameters)).map(({ name }) => name);
  const corrections = names
    .filter((name) => Object.hasOwn(parameters, name) && !known.includes(name))
    .flatMap((name) => {
      const meant = nearestName(name, known);
      return meant === null ? [] : [{ name, meant }];
    });
  return {
    mode: null,
    because: [],
    doSample: false,
    samplesByDefault: samplesByDefault(fieldsOf(parameters)),
    warnings: new Map(),
    refusal: { names, message, corrections },
  };
}

function samplesByDefault(given: ReadonlyMap<string, unknown>): boolean {
  const others = new Map([...given].filter(([name]) => name !== 'do_sample'));
  return chooseDefaults(RUN_DEFAULTS, others).sampling;
}

/** Fields without those that are null, which means absent. */
function fieldsOf(parameters: Parameters): ReadonlyMap<string, unknown> {
  return new Map(Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined));
}

function fieldsOfObject(value: unknown): ReadonlyMap<string, unknown> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return fieldsOf(value as Parameters);
}

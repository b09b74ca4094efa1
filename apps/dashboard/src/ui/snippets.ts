/** Programs that send one run to this server, as the tests run them: for Home, and for the playground's Code. */

export type SnippetLanguage = 'python' | 'typescript' | 'curl' | 'openai' | 'original';

export interface SnippetRun {
  /** Address of the server. */
  readonly url: string;
  /** Null: unknown here, so the program reads PIPELINE_API_TOKEN. */
  readonly token: string | null;
  readonly pipelineId: string;
  /** A text, or its token ids. */
  readonly prompt: string | readonly number[];
  readonly parameters: Readonly<Record<string, unknown>>;
}

export const SNIPPET_LANGUAGES: readonly { readonly id: SnippetLanguage; readonly label: string }[] = [
  { id: 'python', label: 'Python' },
  { id: 'typescript', label: 'TypeScript' },
  { id: 'curl', label: 'curl' },
  { id: 'openai', label: 'OpenAI' },
  { id: 'original', label: 'Original client' },
];

const WRITERS: Readonly<Record<SnippetLanguage, (run: SnippetRun) => string>> = {
  python: pythonOf,
  typescript: typescriptOf,
  curl: curlOf,
  openai: openaiOf,
  original: originalOf,
};

/** What the clients use where the program names no address. */
const DEFAULT_URL = 'http://127.0.0.1:8080';
/** What the clients run where the program names no pipeline. */
const GPTJ_IDS: ReadonlySet<string> = new Set(['gpt-j:latest', 'pipeline_d7502b78863744c495d7d22f321cf7ff']);
const MAX_LINE = 92;

/** The program, which prints the result. */
export function snippet(language: SnippetLanguage, run: SnippetRun): string {
  return WRITERS[language](run);
}

function pythonOf({ url, token, pipelineId, prompt, parameters }: SnippetRun): string {
  const start = `from pipeline import PipelineCloud  # pip install ./gptj_cloud_pipeline-*.whl

api = PipelineCloud(${[...(token === null ? [] : [python(token)]), ...(url === DEFAULT_URL ? [] : [`url=${python(url)}`])].join(', ')})
`;
  if (returnsMany(parameters)) {
    return `${start}run = api.run_pipeline(
    ${python(pipelineId)},
    [${python(prompt)}, ${python(parameters)}],
)
print(*run.texts, sep="\n\n")
`;
  }
  const given = Object.entries(parameters).map(([name, value]) => `${name}=${python(value)}`);
  const named = GPTJ_IDS.has(pipelineId) ? [] : [`pipeline_id=${python(pipelineId)}`];
  const items = [python(prompt), ...given, ...named];
  const line = `print(api.generate(${items.join(', ')}))\n`;
  return (
    start + (line.length <= MAX_LINE ? line : `text = api.generate(\n    ${items.join(',\n    ')},\n)\nprint(text)\n`)
  );
}

function originalOf({ url, token, pipelineId, prompt, parameters }: SnippetRun): string {
  return `${token === null ? 'import os\n\n' : ''}from pipeline import PipelineCloud  # pip install pipeline-ai==0.4.6

api = PipelineCloud(url=${JSON.stringify(url)}, token=${pythonToken(token)})
run = api.run_pipeline(
    ${JSON.stringify(pipelineId)},
    [${python(prompt)}, ${python(parameters)}],
)
print(run.result_preview)
`;
}

function typescriptOf({ url, token, pipelineId, prompt, parameters }: SnippetRun): string {
  const options = { ...(token !== null && { token }), ...(url !== DEFAULT_URL && { url }) };
  const isMany = returnsMany(parameters);
  const start = `import { PipelineCloud${isMany ? ', textsOf' : ''} } from "@gptj-cloud/sdk"; // npm install ./gptj-cloud-sdk-*.tgz

const api = new PipelineCloud(${Object.keys(options).length === 0 ? '' : script(options)});
`;
  if (isMany) {
    return `${start}const run = await api.runPipeline(${script(pipelineId)}, [
  ${script(prompt)},
  ${script(parameters)},
]);
for (const text of textsOf(run)) console.log(text);
`;
  }
  const items = [script(prompt), script(parameters), ...(GPTJ_IDS.has(pipelineId) ? [] : [script({ pipelineId })])];
  const line = `console.log(await api.generate(${items.join(', ')}));\n`;
  return (
    start +
    (line.length <= MAX_LINE
      ? line
      : `const text = await api.generate(\n  ${items.join(',\n  ')},\n);\nconsole.log(text);\n`)
  );
}

/** `generate` returns the first text alone. */
function returnsMany({ num_return_sequences: count }: Readonly<Record<string, unknown>>): boolean {
  return typeof count === 'number' && count > 1;
}

function curlOf({ url, token, pipelineId, prompt, parameters }: SnippetRun): string {
  const body = `{"pipeline_id": ${JSON.stringify(pipelineId)},
       "data": [${JSON.stringify(prompt)}, ${JSON.stringify(parameters)}]}`;
  return `curl -s ${shell(`${url}/v2/runs`)} \\
  -H ${token === null ? '"Authorization: Bearer $PIPELINE_API_TOKEN"' : shell(`Authorization: Bearer ${token}`)} \\
  -H 'Content-Type: application/json' \\
  -d ${shell(body)}
`;
}

function openaiOf({ url, token, prompt, parameters }: SnippetRun): string {
  const request = { model: 'gpt-j-6b', prompt, ...completionFields(parameters) };
  const lines = Object.entries(request).map(([name, value]) => `  ${scriptKey(name)}: ${script(value)},`);
  return `import OpenAI from "openai"; // npm install openai

const client = new OpenAI({ apiKey: ${scriptToken(token)}, baseURL: ${JSON.stringify(`${url}/v1`)} });
const completion = await client.completions.create({
${lines.join('\n')}
});
console.log(completion.choices[0].text);
`;
}

/** Names that the completions route has another one for, or does not need. */
const OTHER_NAMES = new Set([
  ...['response_length', 'max_new_tokens', 'include_input', 'remove_input', 'penalty', 'trim_stop'],
  ...['do_sample', 'temperature', 'top_k'],
]);

/** The parameters of a run as fields of the completions route, whose defaults differ. */
function completionFields(parameters: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { response_length, max_new_tokens, do_sample, temperature, top_k, num_beams, penalty } = parameters;
  const { include_input, remove_input } = parameters;
  const isSampled = do_sample ?? (num_beams === undefined || num_beams === null);
  const hasPrompt = remove_input === undefined ? include_input === true : remove_input === false;
  return {
    // `response_length` is exact: the end of the document may not come before it.
    ...(response_length === undefined ? {} : { max_tokens: response_length, min_new_tokens: response_length }),
    ...(response_length === undefined && max_new_tokens !== undefined && { max_tokens: max_new_tokens }),
    // Greedy decoding is a temperature of 0 there; sampling keeps all tokens there and the first 50 here.
    ...(isSampled ? { ...(temperature !== undefined && { temperature }), top_k: top_k ?? 50 } : { temperature: 0 }),
    ...(hasPrompt && { echo: true }),
    ...(penalty !== undefined && { repetition_penalty: penalty }),
    ...Object.fromEntries(Object.entries(parameters).filter(([name]) => !OTHER_NAMES.has(name))),
  };
}

function pythonToken(token: string | null): string {
  return token === null ? 'os.environ["PIPELINE_API_TOKEN"]' : JSON.stringify(token);
}

function scriptToken(token: string | null): string {
  return token === null ? 'process.env.PIPELINE_API_TOKEN' : JSON.stringify(token);
}

/** A JSON value as a literal of Python. */
function python(value: unknown): string {
  if (value === null || value === undefined) return 'None';
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (Array.isArray(value)) return `[${value.map(python).join(', ')}]`;
  if (typeof value === 'object') {
    return `{${Object.entries(value)
      .map(([name, entry]) => `${JSON.stringify(name)}: ${python(entry)}`)
      .join(', ')}}`;
  }
  return JSON.stringify(value);
}

/** A JSON value as a literal of JavaScript. */
function script(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(script).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).map(([name, entry]) => `${scriptKey(name)}: ${script(entry)}`);
    return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`;
  }
  return JSON.stringify(value) ?? 'null';
}

function scriptKey(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) ? name : JSON.stringify(name);
}

/** One word of a POSIX shell. */
function shell(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

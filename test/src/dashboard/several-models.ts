interface ModelOfReply {
  readonly name: string;
  readonly pipeline_id: string;
  readonly context: number;
  readonly state: string;
  readonly progress: number | null;
  readonly reason: string | null;
}

const model = (name: string, state: string, more: Partial<ModelOfReply> = {}): ModelOfReply => ({
  name,
  pipeline_id: `pipeline_of_${name}`,
  context: 2048,
  state,
  progress: null,
  reason: null,
  ...more,
});

/** Models beside the served one, as `GET /v2/server` and `GET /v2/engine` have them, for screens. */
export const SEVERAL_MODELS: readonly ModelOfReply[] = [
  model('gpt-j-6b', 'loading', { progress: 0.42 }),
  model('story', 'evicted'),
  model('a-fine-tune-with-a-long-name', 'failed', {
    reason: 'the model a-fine-tune-with-a-long-name could not be loaded: no such file',
  }),
];

import type { Engine, GenerationEvent, GenerationUsage } from '@gptj-cloud/engine';
import { ModelError } from '@gptj-cloud/model';
import { type Span, SpanStatusCode, type Tracer } from '@opentelemetry/api';
import type { GenerationEnd, ServerMetrics } from './server-metrics.ts';

export interface EngineObserver {
  readonly metrics: ServerMetrics;
  readonly tracer: Tracer;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Called for final tokens as they come; beam search reports all of its tokens at the end. */
  readonly onTokens: (count: number) => void;
  /** Of the metrics of this engine. Default: none. */
  readonly labels?: () => Readonly<Record<string, string>>;
}

/**
 * The same engine, measured: every generation adds to the metrics and, where traces are on, is a span with the names
 * that OpenTelemetry gives to generative models. Prompts and outputs are in neither.
 */
export function observeEngine(engine: Engine, observer: EngineObserver): Engine {
  const { metrics, tracer, now, onTokens, labels = () => ({}) } = observer;
  const stats = engine.stats?.bind(engine);
  return {
    get info() {
      return engine.info;
    },
    ...(stats === undefined ? {} : { stats }),
    close: () => engine.close(),
    async *generate(request, signal) {
      const startedAt = now();
      const span = tracer.startSpan(`text_completion ${engine.info.modelName}`, {
        attributes: {
          'gen_ai.operation.name': 'text_completion',
          'gen_ai.provider.name': 'gptj-cloud',
          'gen_ai.request.model': engine.info.modelName,
          'gen_ai.response.model': engine.info.modelName,
          'gen_ai.request.max_tokens': request.config.maxLength - request.prompt.length,
          'gen_ai.request.choice.count': request.config.numReturnSequences,
        },
      });
      /** Time of the last tokens of each sequence. */
      const lastAt = new Map<number, number>();
      let end: GenerationEnd = 'cancelled';
      try {
        for await (const event of engine.generate(request, signal)) {
          if (event.type === 'tokens') observeTokens(event, lastAt);
          if (event.type === 'finished') {
            end = 'finished';
            observeUsage(event.usage, span);
            span.setAttribute(
              'gen_ai.response.finish_reasons',
              event.outcome.sequences.map((each) => each.finishReason),
            );
          }
          yield event;
        }
      } catch (error) {
        end = error instanceof ModelError && error.code === 'aborted' ? 'cancelled' : 'failed';
        if (end === 'failed') {
          const type = error instanceof ModelError ? error.code : 'internal';
          span.setAttribute('error.type', type);
          span.setStatus({ code: SpanStatusCode.ERROR, message: type });
        }
        throw error;
      } finally {
        metrics.generations.add(1, { ...labels(), end });
        metrics.generationSeconds.observe((now() - startedAt) / 1000, { ...labels(), end });
        span.end();
      }

      function observeTokens(
        { index, tokens, atMs }: Extract<GenerationEvent, { type: 'tokens' }>,
        last: Map<number, number>,
      ) {
        onTokens(tokens.length);
        // By the engine's clock: coalesced token events arrive late.
        const at = atMs === undefined ? now() : startedAt + atMs;
        const before = last.get(index);
        if (last.size === 0) {
          metrics.firstTokenSeconds.observe((at - startedAt) / 1000, labels());
          span.setAttribute('gptj.time_to_first_token_s', (at - startedAt) / 1000);
        }
        // Tokens that come together, as accepted drafts do, share the time since the ones before.
        if (before !== undefined)
          for (const _ of tokens) metrics.interTokenSeconds.observe((at - before) / 1000 / tokens.length, labels());
        last.set(index, at);
      }
    },
  };

  function observeUsage(usage: GenerationUsage, span: Span): void {
    metrics.queueSeconds.observe(usage.queueMs / 1000, labels());
    metrics.promptTokensPerRequest.observe(usage.promptTokens, labels());
    metrics.promptTokens.add(usage.promptTokens, labels());
    metrics.cachedPromptTokens.add(usage.cachedTokens, labels());
    metrics.generatedTokens.add(usage.generatedTokens, labels());
    metrics.computedTokens.add(usage.computedTokens, labels());
    if (usage.computeMs > 0)
      metrics.tokensPerSecond.observe((usage.generatedTokens * 1000) / usage.computeMs, labels());
    span.setAttributes({
      'gen_ai.usage.input_tokens': usage.promptTokens,
      'gen_ai.usage.output_tokens': usage.generatedTokens,
      'gen_ai.usage.cache_read.input_tokens': usage.cachedTokens,
      'gptj.queue_ms': usage.queueMs,
      'gptj.compute_ms': usage.computeMs,
    });
  }
}

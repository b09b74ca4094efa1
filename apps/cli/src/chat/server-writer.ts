import { GPTJ_PIPELINE_ID } from '@gptj-cloud/protocol';
import { hasEnded, type PipelineCloud, type Run, throwIfFailed } from '@gptj-cloud/sdk';
import { runLine, textsOf } from '../client/run-report.ts';
import { roomFor, type TextWriter } from './text-writer.ts';

/** The model of a server. Every continuation is a run, which ends when the signal aborts. */
export async function createServerWriter(api: PipelineCloud, url: string, signal: AbortSignal): Promise<TextWriter> {
  const { model, context } = await api.server.get({ signal });
  return {
    description: `${model} on ${url}`,
    contextLength: context,
    count: async (text, call) => (await api.text.tokenize(text, { signal: call })).tokens.length,
    async write({ text, parameters, signal: call, onText }) {
      const room = roomFor(context, parameters);
      // A token has at least one byte, so a short text needs no count.
      const isShort = Buffer.byteLength(text) <= room;
      const tokens = isShort ? [] : (await api.text.tokenize(text, { signal: call })).tokens;
      const prompt = tokens.length <= room ? text : tokens.slice(-room);
      let ended: Run | null = null;
      let shown = 0;
      for await (const event of api.streamPipeline(GPTJ_PIPELINE_ID, [prompt, parameters], { signal: call })) {
        if (event.type === 'token' && event.index === 0) {
          shown += event.text.length;
          await onText(event.text);
        } else if (event.type === 'run' && hasEnded(event.run)) ended = event.run;
      }
      if (ended === null) throw new Error('expected the end of the run, but its events ended before');
      throwIfFailed(ended);
      // Beams arrive at the end alone.
      if (shown === 0) await onText(textsOf(ended)[0] ?? '');
      return { line: runLine(ended), warnings: ended.warnings, leftOut: Math.max(0, tokens.length - room) };
    },
    close: async () => {},
  };
}

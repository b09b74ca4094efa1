import { runEventData } from '@gptj-cloud/protocol';
import type { EventSource } from '../../http/event-stream.ts';
import type { EventReader } from '../../runs/run-events.ts';

/** The events of a run as a stream. `onGone` is called when the client disconnects. */
export function readerSource(reader: EventReader, onGone: () => void): EventSource {
  return {
    async next() {
      const numbered = await reader.next();
      if (numbered === null) return null;
      const { id, event, data } = numbered;
      return { id, event: event.type, data: data ?? JSON.stringify(runEventData(event)) };
    },
    close(reason) {
      reader.close();
      if (reason === 'gone') onGone();
    },
  };
}

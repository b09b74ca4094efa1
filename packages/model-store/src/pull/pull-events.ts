import type { Recipe } from '@gptj-cloud/checkpoint';
import type { ModelSource } from '../store/model-record.ts';

/** What happens during a pull. */
export type PullEvent =
  /** The source is known. `resumed`: an earlier pull has begun it. */
  | { readonly type: 'source'; readonly source: ModelSource; readonly resumed: boolean }
  | {
      readonly type: 'plan';
      readonly recipe: Recipe;
      readonly reason: string;
      readonly downloadBytes: number;
      readonly fileBytes: number;
    }
  /** Bytes that are safe on the disk. They never become fewer. */
  | { readonly type: 'download'; readonly doneBytes: number; readonly totalBytes: number; readonly file: string }
  /** A server failed, or asked for a pause. */
  | { readonly type: 'wait'; readonly reason: string; readonly ms: number }
  | { readonly type: 'convert'; readonly doneBytes: number; readonly totalBytes: number; readonly tensor: string }
  /** The store has this commit already; nothing is downloaded. */
  | { readonly type: 'present'; readonly model: string }
  | { readonly type: 'warning'; readonly message: string };

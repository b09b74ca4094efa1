/** A context and the continuation to score, as texts. */
export interface TextRequest {
  readonly context: string;
  readonly continuation: string;
}

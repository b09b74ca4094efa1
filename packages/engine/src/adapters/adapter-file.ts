/** A stored adapter, as `convertAdapter` writes it, and the name by which requests choose it. */
export interface AdapterFile {
  readonly name: string;
  readonly path: string;
}

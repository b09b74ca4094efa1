/** The tab that a key leads to from the selected one: the arrows go round, Home and End to the ends; null for other keys. */
export function nextTab<Id>(tabs: readonly Id[], selected: Id, key: string): Id | null {
  const at = tabs.indexOf(selected);
  const last = tabs.length - 1;
  const target = { ArrowRight: at === last ? 0 : at + 1, ArrowLeft: at <= 0 ? last : at - 1, Home: 0, End: last }[key];
  return target === undefined ? null : (tabs[target] ?? null);
}

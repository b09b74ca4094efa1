/** How numbers, sums, times and sizes are written, the same on every page. */

const whole = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 });
const SHORT_STEPS = [
  { from: 1e12, unit: 'T' },
  { from: 1e9, unit: 'G' },
  { from: 1e6, unit: 'M' },
  { from: 1e4, unit: 'k', per: 1e3 },
] as const;

/** `61,204` */
export function formatCount(value: number): string {
  return withMinus(whole.format(value));
}

/** `61.2 k`, three digits; exact below 10,000. For places without room; the exact number belongs into a tooltip. */
export function formatShort(value: number): string {
  const step = SHORT_STEPS.find(({ from }) => Math.abs(value) >= from);
  if (step === undefined) return Number.isInteger(value) ? formatCount(value) : formatDigits(value, 3);
  return `${formatDigits(value / ('per' in step ? step.per : step.from), 3)} ${step.unit}`;
}

/** `14.6`: at most `digits` significant digits. */
export function formatDigits(value: number, digits: number): string {
  return withMinus(new Intl.NumberFormat('en-GB', { maximumSignificantDigits: digits }).format(value));
}

/** `−2.50`: as many decimals in every row of a column. */
export function formatDecimals(value: number, decimals: number): string {
  return withMinus(value.toFixed(decimals));
}

/** A minus sign is as wide as a digit; a hyphen is not. */
function withMinus(text: string): string {
  return text.replace('-', '−');
}

/** `$13.61`; sums below a cent with as many decimals as they need: `$0.0004`. `currency` is a code such as `usd`. */
export function formatMoney(value: number, currency: string): string {
  const isTiny = value !== 0 && Math.abs(value) < 0.01;
  return new Intl.NumberFormat('en-US', {
    style: 'currency',
    currency: currency.toUpperCase(),
    currencyDisplay: 'narrowSymbol',
    ...(isTiny ? { minimumSignificantDigits: 1, maximumSignificantDigits: 2 } : {}),
  }).format(value);
}

/** `31 %` of the fraction 0.31; one decimal below 10 %. A fraction that is not 0 is never written as 0 %. */
export function formatPercent(fraction: number): string {
  const percent = fraction * 100;
  if (percent !== 0 && Math.abs(percent) < 0.1) return `< 0.1 %`;
  return `${percent.toFixed(Math.abs(percent) < 10 && !Number.isInteger(percent) ? 1 : 0)} %`;
}

/** `38 ms`, `0.63 s`, `2 min 5 s`, `6 d 2 h`. */
export function formatDuration(ms: number): string {
  if (ms < 100) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 10) return `${formatDigits(seconds, seconds < 1 ? 2 : 3)} s`;
  if (seconds < 60) return `${formatDigits(seconds, 3)} s`;
  const [first, second] = [
    { unit: 'd', each: 86_400 },
    { unit: 'h', each: 3_600 },
    { unit: 'min', each: 60 },
    { unit: 's', each: 1 },
  ].flatMap(({ unit, each }, index, units) => {
    const above = units[index - 1];
    const amount = Math.floor((above === undefined ? seconds : seconds % above.each) / each);
    return amount === 0 ? [] : [{ text: `${formatCount(amount)} ${unit}`, index }];
  });
  if (first === undefined) return '0 s';
  // `6 d 40 s` would claim a precision that the first unit does not have.
  return second !== undefined && second.index === first.index + 1 ? `${first.text} ${second.text}` : first.text;
}

/** `312 MB`, in thousands. */
export function formatBytes(bytes: number): string {
  return formatSize(bytes, 1000, ['B', 'kB', 'MB', 'GB', 'TB']);
}

/** `5 GiB`, in powers of 1024, as plans count. */
export function formatBinaryBytes(bytes: number): string {
  return formatSize(bytes, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB']);
}

function formatSize(bytes: number, step: number, units: readonly string[]): string {
  let value = bytes;
  let unit = 0;
  while (value >= step && unit < units.length - 1) {
    value /= step;
    unit++;
  }
  return `${formatDigits(value, 3)} ${units[unit]}`;
}

const NEAR = [
  { below: 60_000, each: 1_000, unit: 's' },
  { below: 3_600_000, each: 60_000, unit: 'min' },
  { below: 86_400_000, each: 3_600_000, unit: 'h' },
  { below: 30 * 86_400_000, each: 86_400_000, unit: 'd' },
] as const;

/** `12 s ago`, `in 3 h`, `just now`; more than 30 days away the date. */
export function formatRelative(at: Date, now: Date): string {
  const ms = at.getTime() - now.getTime();
  const distance = Math.abs(ms);
  if (distance < 5_000) return 'just now';
  const step = NEAR.find(({ below }) => distance < below);
  if (step === undefined) return formatDate(at);
  const amount = `${Math.floor(distance / step.each)} ${step.unit}`;
  return ms < 0 ? `${amount} ago` : `in ${amount}`;
}

/** How long something has been so: `for 9 min`; more than 30 days the date. Follows a state: "ready for 9 min". */
export function formatLasting(since: Date, now: Date): string {
  const ms = now.getTime() - since.getTime();
  if (ms < 5_000) return 'for a moment';
  const step = NEAR.find(({ below }) => ms < below);
  return step === undefined ? `since ${formatDate(since)}` : `for ${Math.floor(ms / step.each)} ${step.unit}`;
}

const dateFormat = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
const utcFormat = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium', timeZone: 'UTC' });
const localFormat = new Intl.DateTimeFormat('en-GB', {
  dateStyle: 'medium',
  timeStyle: 'medium',
});

/** `6 Nov 2026`, in the time zone of the browser. */
export function formatDate(at: Date): string {
  return dateFormat.format(at);
}

/** `6 Nov 2026, 14:03:12 UTC` */
export function formatUtc(at: Date): string {
  return `${utcFormat.format(at)} UTC`;
}

/** `6 Nov 2026, 15:03:12`, in the time zone of the browser. */
export function formatLocal(at: Date): string {
  return localFormat.format(at);
}

/** `1 run`, `2 runs`, `61,204 tokens`. */
export function formatPlural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

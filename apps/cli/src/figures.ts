/** Numbers, sizes and durations formatted for people. */

/** `999 B`, `1.24 MB`, `12.2 GB`: decimal units, three digits. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? String(Math.round(value)) : threeDigits(value)} ${units[unit]}`;
}

/** `480 ms`, `7.5 s`, `1 min 05 s`, `2 h 03 min`. */
export function formatDuration(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${pad(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`;
}

/** `1 234 567`: groups of three digits, separated by spaces. */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US').replaceAll(',', ' ');
}

/** `6.05 B`, `1.2 M`, `940`: parameters of a model. */
export function formatParameters(count: number): string {
  if (count >= 999.5e6) return `${threeDigits(count / 1e9)} B`;
  if (count >= 999.5e3) return `${threeDigits(count / 1e6)} M`;
  return formatCount(count);
}

/** Three significant digits, trailing zeros kept, never an exponent. */
export function threeDigits(value: number): string {
  return value >= 99.95 ? value.toFixed(0) : value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}

/** `2026-01-31 14:05`, in the time zone of the machine; empty for null. */
export function formatMoment(date: Date | null): string {
  if (date === null) return '';
  const parts = [date.getMonth() + 1, date.getDate(), date.getHours(), date.getMinutes()].map(pad);
  return `${date.getFullYear()}-${parts[0]}-${parts[1]} ${parts[2]}:${parts[3]}`;
}

/** `2026-01-31`, UTC; empty for null. */
export function formatDay(date: Date | null): string {
  return date === null ? '' : date.toISOString().slice(0, 10);
}

/** The plot of a quality report, as SVG: how the divergences are distributed, and what the mean costs in size. */
import { formatBytes } from '../figures.ts';
import { type ModelQuality, nameOf, type QualityReport } from './quality-report.ts';

/** Okabe and Ito's palette, which colour-blind readers can distinguish; yellow is left out, as it is pale on white. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#e69f00', '#000000'] as const;
const PANEL = { width: 420, height: 300, top: 64, left: 70, gap: 110 } as const;
const LEGEND_ROW = 20;
/** Divergences below are rounding errors of float32. */
const MIN_DIVERGENCE = 1e-7;
const MAX_POINTS = 400;

interface Axis {
  readonly min: number;
  readonly max: number;
}

export function drawQuality(report: QualityReport): string {
  const { models } = report;
  const width = PANEL.left + PANEL.width + PANEL.gap + PANEL.width + 30;
  const height = PANEL.top + PANEL.height + 66 + LEGEND_ROW * models.length;
  const { text, reference } = report;
  const name = nameOf(reference.path);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="12" fill="#222">
<title>KL divergence from ${escapeXml(name)}</title>
<rect width="${width}" height="${height}" fill="#fff"/>
<text x="${PANEL.left}" y="26" font-size="16" font-weight="600">KL divergence from ${escapeXml(name)} (${escapeXml(reference.quantisation)})</text>
<text x="${PANEL.left}" y="46" fill="#555">${text.scoredTokens} tokens of ${escapeXml(nameOf(text.source))} in ${text.chunks} chunks of ${text.context}; bars are ${report.confidence * 100} % intervals, bootstrap over chunks</text>
${distribution(models)}
${bySize(models)}
${models.map(legendRow).join('\n')}
</svg>
`;
}

/** Share of the tokens whose divergence is at most x. */
function distribution(models: readonly ModelQuality[]): string {
  const x0 = PANEL.left;
  const values = models.flatMap(({ sortedDivergences }) => [
    sortedDivergences[Math.floor(sortedDivergences.length / 100)]!,
    sortedDivergences.at(-1)!,
  ]);
  const axis = logAxis(values);
  const x = (value: number): number => x0 + onLog(axis, value) * PANEL.width;
  const y = (share: number): number => PANEL.top + (1 - share) * PANEL.height;
  const shares = [0, 0.25, 0.5, 0.75, 0.99];
  const lines = [
    ...decades(axis).map((value) => vertical(x(value), exponent(value))),
    ...shares.map((share) => horizontal(x0, y(share), `${Math.round(share * 100)} %`)),
  ];
  const curves = models.map(({ sortedDivergences: sorted }, i) => {
    const step = Math.max(1, Math.floor(sorted.length / MAX_POINTS));
    const points: string[] = [];
    for (let at = 0; at < sorted.length; at += step) points.push(point(x(sorted[at]!), y((at + 1) / sorted.length)));
    points.push(point(x(sorted.at(-1)!), y(1)));
    return `<polyline fill="none" stroke="${colourOf(i)}" stroke-width="1.8"${dashOf(i)} points="${points.join(' ')}"/>`;
  });
  return [frame(x0, 'KL divergence of a token, nats', 'tokens with at most this'), ...lines, ...curves].join('\n');
}

/** Mean divergence over the size of the file, with its interval. */
function bySize(models: readonly ModelQuality[]): string {
  const x0 = PANEL.left + PANEL.width + PANEL.gap;
  const step = roundStep(Math.max(...models.map(({ sizeBytes }) => sizeBytes)) / 4);
  const maxBytes = 5 * step;
  const axis = logAxis(
    models.flatMap(({ divergence: { mean } }) => [mean.value, mean.low ?? mean.value, mean.high ?? mean.value]),
  );
  const x = (bytes: number): number => x0 + (bytes / maxBytes) * PANEL.width;
  const y = (value: number): number => PANEL.top + (1 - onLog(axis, value)) * PANEL.height;
  const ticks = [0, 1, 2, 3, 4, 5].map((tick) => tick * step);
  const dots = models.map(({ sizeBytes, divergence: { mean } }, i) => {
    const [low, high] = [mean.low ?? mean.value, mean.high ?? mean.value];
    const cx = x(sizeBytes).toFixed(1);
    return `<line x1="${cx}" x2="${cx}" y1="${y(low).toFixed(1)}" y2="${y(high).toFixed(1)}" stroke="${colourOf(i)}" stroke-width="2"/><circle cx="${cx}" cy="${y(mean.value).toFixed(1)}" r="4.5" fill="${isDashed(i) ? '#fff' : colourOf(i)}" stroke="${colourOf(i)}" stroke-width="2"/>`;
  });
  return [
    frame(x0, 'size of the file', 'mean KL divergence, nats'),
    ...decades(axis).map((value) => horizontal(x0, y(value), exponent(value))),
    ...ticks.map((bytes) => vertical(x(bytes), bytes === 0 ? '0' : formatBytes(bytes))),
    ...dots,
  ].join('\n');
}

function legendRow({ path, quantisation, sizeBytes, divergence, topAgreement }: ModelQuality, index: number): string {
  const y = PANEL.top + PANEL.height + 62 + index * LEGEND_ROW;
  const facts = [
    quantisation,
    formatBytes(sizeBytes),
    `mean ${divergence.mean.value.toPrecision(3)}`,
    `median ${divergence.median.value.toPrecision(3)}`,
    `99 % ${divergence.percentile99.value.toPrecision(3)}`,
    `same top token ${(100 * topAgreement.value).toFixed(1)} %`,
  ];
  return `<rect x="${PANEL.left}" y="${y - 10}" width="12" height="12" fill="${isDashed(index) ? '#fff' : colourOf(index)}" stroke="${colourOf(index)}" stroke-width="2"/><text x="${PANEL.left + 20}" y="${y}"><tspan font-weight="600">${escapeXml(nameOf(path))}</tspan> <tspan fill="#555">${escapeXml(facts.join(' · '))}</tspan></text>`;
}

function frame(x0: number, below: string, beside: string): string {
  const middle = PANEL.top + PANEL.height / 2;
  return `<rect x="${x0}" y="${PANEL.top}" width="${PANEL.width}" height="${PANEL.height}" fill="none" stroke="#888"/>
<text x="${x0 + PANEL.width / 2}" y="${PANEL.top + PANEL.height + 36}" text-anchor="middle">${below}</text>
<text transform="rotate(-90 ${x0 - 52} ${middle})" x="${x0 - 52}" y="${middle}" text-anchor="middle">${beside}</text>`;
}

function vertical(x: number, label: string): string {
  const bottom = PANEL.top + PANEL.height;
  return `<line x1="${x.toFixed(1)}" x2="${x.toFixed(1)}" y1="${PANEL.top}" y2="${bottom}" stroke="#ddd"/><text x="${x.toFixed(1)}" y="${bottom + 16}" text-anchor="middle" fill="#555">${label}</text>`;
}

function horizontal(x0: number, y: number, label: string): string {
  return `<line x1="${x0}" x2="${x0 + PANEL.width}" y1="${y.toFixed(1)}" y2="${y.toFixed(1)}" stroke="#ddd"/><text x="${x0 - 6}" y="${(y + 4).toFixed(1)}" text-anchor="end" fill="#555">${label}</text>`;
}

/** Whole decades around the values. */
function logAxis(values: readonly number[]): Axis {
  const positive = values.map((value) => Math.max(value, MIN_DIVERGENCE));
  const min = Math.floor(Math.log10(Math.min(...positive)));
  return { min, max: Math.max(min + 1, Math.ceil(Math.log10(Math.max(...positive)))) };
}

/** Where a value is on a logarithmic axis, 0 to 1. */
function onLog({ min, max }: Axis, value: number): number {
  return Math.min(1, Math.max(0, (Math.log10(Math.max(value, MIN_DIVERGENCE)) - min) / (max - min)));
}

function decades({ min, max }: Axis): readonly number[] {
  return Array.from({ length: max - min + 1 }, (_, i) => 10 ** (min + i));
}

function exponent(value: number): string {
  return value >= 0.01 && value < 1000 ? String(Number(value.toPrecision(1))) : value.toExponential(0);
}

function point(x: number, y: number): string {
  return `${x.toFixed(1)},${y.toFixed(1)}`;
}

/** Models after the last colour have dashed lines and hollow marks. */
function isDashed(index: number): boolean {
  return index >= COLOURS.length;
}

function dashOf(index: number): string {
  return isDashed(index) ? ' stroke-dasharray="5 3"' : '';
}

/** 1, 2 or 5 times a power of ten, at least `value`. */
function roundStep(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 2, 5].find((factor) => factor * power >= value) ?? 10);
}

function colourOf(index: number): string {
  return COLOURS[index % COLOURS.length]!;
}

/** Names of files are any text. */
function escapeXml(text: string): string {
  return text
    .replace(/[^\t\n\u0020-\ud7ff\ue000-\ufffd]/g, '?')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** Accuracy against training compute: one panel for each task of the published table. */
import { PUBLISHED_MODELS, SCORE_COLUMNS } from '@gptj-cloud/model';
import type { Drawing, Shape, TextShape } from './chart-shapes.ts';
import type { EvaluationReport } from './evaluation-report.ts';

interface Point {
  readonly name: string;
  /** Null: not known; the score is a line across the panel. */
  readonly flops: number | null;
  readonly percent: number;
  readonly isOwn: boolean;
}

export interface ChartOptions {
  /** Floating-point operations that trained the model of the run; null: not known. */
  readonly trainingFlops: number | null;
}

const WIDTH = 960;
const HEIGHT = 790;
const PANEL = { width: 400, height: 270, left: 62, top: 112, gapX: 76, gapY: 84 };
const COLOURS = {
  text: '#1f2328',
  muted: '#59636e',
  grid: '#d8dee4',
  model: '#8250df',
  gptj: '#0969da',
  own: '#cf222e',
};
const TITLE = 'Zero-shot accuracy against training compute';

/** {@link toSvg} and {@link toPng} draw it. */
export function drawChart(report: EvaluationReport, { trainingFlops }: ChartOptions): Drawing {
  const columns = SCORE_COLUMNS.map((column, index) => ({ ...column, index })).filter(
    ({ metric }) => metric !== 'perplexity',
  );
  const flops = PUBLISHED_MODELS.flatMap((model) => (model.trainingFlops === null ? [] : [model.trainingFlops]));
  const all = trainingFlops === null ? flops : [...flops, trainingFlops];
  const range = { min: Math.floor(Math.log10(Math.min(...all))), max: Math.ceil(Math.log10(Math.max(...all))) };
  const panels = columns.flatMap(({ task, title, metric, index }, place) => {
    const own = report.tasks.flatMap(({ task: name, form, metrics }) => {
      const found = name === task ? metrics.find((each) => each.metric === metric) : undefined;
      const label = `${report.model.model}, ${form}`;
      return found === undefined
        ? []
        : [{ name: label, flops: trainingFlops, percent: found.value * 100, isOwn: true }];
    });
    const published = PUBLISHED_MODELS.flatMap((model): readonly Point[] => {
      const percent = model.scores[index];
      const isPlaced = model.trainingFlops !== null && percent !== null && percent !== undefined;
      return isPlaced ? [{ name: model.name, flops: model.trainingFlops, percent, isOwn: false }] : [];
    });
    const chance = PUBLISHED_MODELS[0]!.scores[index] ?? 0;
    return renderPanel({ title: `${title} (${metric})`, points: [...published, ...own], chance, range, place });
  });
  return {
    width: WIDTH,
    height: HEIGHT,
    title: TITLE,
    shapes: [
      text({ x: PANEL.left, y: 34, size: 20, weight: 600 }, TITLE),
      text(
        { x: PANEL.left, y: 58, size: 13, colour: COLOURS.muted },
        `Published models of the GPT-J table; in red ${report.model.model}`,
      ),
      ...panels,
    ],
  };
}

interface Panel {
  readonly title: string;
  readonly points: readonly Point[];
  readonly chance: number;
  /** Powers of ten. */
  readonly range: { readonly min: number; readonly max: number };
  readonly place: number;
}

function renderPanel({ title, points, chance, range, place }: Panel): readonly Shape[] {
  const left = PANEL.left + (place % 2) * (PANEL.width + PANEL.gapX);
  const top = PANEL.top + Math.floor(place / 2) * (PANEL.height + PANEL.gapY);
  const low = Math.max(0, Math.floor((Math.min(chance, ...points.map(({ percent }) => percent)) - 2) / 10) * 10);
  const high = Math.min(100, Math.ceil((Math.max(...points.map(({ percent }) => percent)) + 2) / 10) * 10);
  const x = (flops: number): number => left + ((Math.log10(flops) - range.min) / (range.max - range.min)) * PANEL.width;
  const y = (percent: number): number => top + (1 - (percent - low) / (high - low)) * PANEL.height;
  const parts: Shape[] = [text({ x: left, y: top - 10, size: 14, weight: 600 }, title)];
  for (let percent = low; percent <= high; percent += 10) {
    parts.push(line(left, y(percent), left + PANEL.width, y(percent), COLOURS.grid));
    parts.push(
      text({ x: left - 8, y: y(percent) + 4, size: 11, anchor: 'end', colour: COLOURS.muted }, `${percent} %`),
    );
  }
  for (let power = range.min; power <= range.max; power += range.max - range.min > 4 ? 2 : 1) {
    const at = x(10 ** power);
    parts.push(line(at, top, at, top + PANEL.height, COLOURS.grid));
    parts.push(
      text({ x: at, y: top + PANEL.height + 18, size: 11, anchor: 'middle', colour: COLOURS.muted }, `1e${power}`),
    );
  }
  parts.push(
    text(
      { x: left + PANEL.width / 2, y: top + PANEL.height + 36, size: 11, anchor: 'middle', colour: COLOURS.muted },
      'training FLOPs',
    ),
    line(left, y(chance), left + PANEL.width, y(chance), COLOURS.muted, true),
    text({ x: left + PANEL.width - 4, y: y(chance) - 4, size: 11, colour: COLOURS.muted, anchor: 'end' }, 'chance'),
  );
  parts.push(...renderPoints(points, { x, y, left, top, chance }));
  return parts;
}

interface Scale {
  readonly x: (flops: number) => number;
  readonly y: (percent: number) => number;
  readonly left: number;
  readonly top: number;
  /** Labels keep away from its line. */
  readonly chance: number;
}

interface Box {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
}

/** Where a label may be, relative to its point, in the order of preference. */
const PLACES: readonly { readonly dx: number; readonly dy: number; readonly anchor: 'start' | 'middle' | 'end' }[] = [
  { dx: 8, dy: 4, anchor: 'start' },
  { dx: -8, dy: 4, anchor: 'end' },
  { dx: 0, dy: -8, anchor: 'middle' },
  { dx: 0, dy: 17, anchor: 'middle' },
  { dx: 6, dy: 15, anchor: 'start' },
  { dx: -6, dy: -7, anchor: 'end' },
  { dx: 6, dy: -7, anchor: 'start' },
  { dx: -6, dy: 15, anchor: 'end' },
  { dx: 8, dy: 28, anchor: 'start' },
  { dx: -8, dy: -19, anchor: 'end' },
  { dx: 0, dy: -21, anchor: 'middle' },
  { dx: 0, dy: 30, anchor: 'middle' },
  ...[43, 56, 69, 82, 95].map((dy) => ({ dx: 0, dy, anchor: 'middle' as const })),
];
const LABEL_SIZE = 11;
/** A label that is farther below its point has a line to it. */
const FAR = 30;
/** Of a letter, as a part of the size of the font. */
const LETTER_WIDTH = 0.57;

/** Points with labels where no other label and no point is. */
function renderPoints(points: readonly Point[], { x, y, left, top, chance }: Scale): readonly Shape[] {
  const placed = points.map((point) => ({
    point,
    px: point.flops === null ? left : x(point.flops),
    py: y(point.percent),
  }));
  const taken: Box[] = placed.flatMap(({ point, px, py }) =>
    point.flops === null ? [] : [{ x1: px - 5, y1: py - 5, x2: px + 5, y2: py + 5 }],
  );
  taken.push({ x1: left, y1: y(chance) - 1, x2: left + PANEL.width, y2: y(chance) + 1 });
  const parts: Shape[] = [];
  for (const { point, px, py } of placed.sort((a, b) => rankOf(a.point) - rankOf(b.point) || b.px - a.px)) {
    const colour = point.isOwn ? COLOURS.own : point.name.startsWith('GPT-J') ? COLOURS.gptj : COLOURS.model;
    if (point.flops === null) parts.push(line(left, py, left + PANEL.width, py, colour));
    else parts.push({ kind: 'dot', x: px, y: py, radius: point.isOwn ? 5 : 4, colour });
    const label = point.name.replaceAll(/ ?[*‡]+/g, '');
    const places =
      point.flops === null
        ? [
            { dx: PANEL.width - 4, dy: -5, anchor: 'end' as const },
            { dx: PANEL.width - 4, dy: 14, anchor: 'end' as const },
          ]
        : PLACES;
    const boxes = places.map((place) => ({ place, box: labelBox(label, px, py, place) }));
    const inside = ({ x1, x2, y1, y2 }: Box): boolean =>
      x1 >= left && x2 <= left + PANEL.width && y1 >= top - 4 && y2 <= top + PANEL.height;
    const candidates = boxes.filter(({ box }) => inside(box));
    const crowd = ({ box }: (typeof boxes)[number]): number => taken.filter((other) => overlaps(box, other)).length;
    const [free = boxes[0]!] = candidates.sort((one, other) => crowd(one) - crowd(other));
    taken.push(free.box);
    const { dx, dy, anchor } = free.place;
    if (dy > FAR) parts.push(line(px, py + 6, px, py + dy - LABEL_SIZE, COLOURS.grid));
    parts.push(text({ x: px + dx, y: py + dy, size: LABEL_SIZE, colour, anchor }, label));
  }
  return parts;
}

/** The order in which labels choose their places. */
function rankOf({ isOwn, name }: Point): number {
  return isOwn ? 0 : name.startsWith('GPT-J') ? 1 : 2;
}

function labelBox(label: string, px: number, py: number, { dx, dy, anchor }: (typeof PLACES)[number]): Box {
  const width = label.length * LABEL_SIZE * LETTER_WIDTH;
  const start = px + dx - (anchor === 'start' ? 0 : anchor === 'end' ? width : width / 2);
  return { x1: start, x2: start + width, y1: py + dy - LABEL_SIZE + 1, y2: py + dy + 2 };
}

function overlaps(a: Box, b: Box): boolean {
  return a.x1 < b.x2 && b.x1 < a.x2 && a.y1 < b.y2 && b.y1 < a.y2;
}

type TextStyle = Pick<TextShape, 'x' | 'y' | 'size'> & Partial<Pick<TextShape, 'weight' | 'colour' | 'anchor'>>;

function text(style: TextStyle, content: string): TextShape {
  return { kind: 'text', weight: 400, colour: COLOURS.text, anchor: 'start', ...style, content };
}

function line(x1: number, y1: number, x2: number, y2: number, colour: string, isDashed = false): Shape {
  return { kind: 'line', x1, y1, x2, y2, colour, isDashed };
}

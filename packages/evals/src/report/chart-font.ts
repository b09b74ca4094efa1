/** The letters of a chart as images: `data/chart-font.json`, made from DejaVu Sans. */
import { readFileSync } from 'node:fs';
import { inflateSync } from 'node:zlib';
import type { TextShape } from './chart-shapes.ts';

export interface Glyph {
  /** Pixels to the next letter. */
  readonly advance: number;
  /** Of the image, from the pen and the baseline. */
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  /** Opacity of each pixel, 0 to 15. */
  readonly alphas: Uint8Array;
}

export interface ChartFont {
  /** Pixels of an image for each pixel of the SVG. */
  readonly scale: number;
  /** A letter; that of `?` for one that the font does not have. */
  glyph(style: Pick<TextShape, 'size' | 'weight'>, letter: string): Glyph;
}

interface FontFile {
  readonly scale: number;
  readonly first: number;
  /** By size and weight: advance, left, top, width and height of each letter. */
  readonly styles: Readonly<Record<string, readonly (readonly [number, number, number, number, number])[]>>;
  /** Two pixels a byte, compressed, in base64. */
  readonly alphas: string;
}

export function readChartFont(): ChartFont {
  // A file of this package.
  const file = JSON.parse(readFileSync(new URL('../../data/chart-font.json', import.meta.url), 'utf8')) as FontFile;
  const packed = inflateSync(Buffer.from(file.alphas, 'base64'));
  const alphas = new Uint8Array(packed.length * 2);
  packed.forEach((byte, at) => {
    alphas[2 * at] = byte >> 4;
    alphas[2 * at + 1] = byte & 15;
  });
  let at = 0;
  const glyphs = new Map<string, readonly Glyph[]>(
    Object.entries(file.styles).map(([style, rows]) => [
      style,
      rows.map(([advance, left, top, width, height]) => {
        const glyph = { advance, left, top, width, height, alphas: alphas.subarray(at, at + width * height) };
        at += width * height;
        return glyph;
      }),
    ]),
  );
  return {
    scale: file.scale,
    glyph({ size, weight }, letter) {
      const style = glyphs.get(`${size}-${weight}`)!;
      return style[letter.charCodeAt(0) - file.first] ?? style['?'.charCodeAt(0) - file.first]!;
    },
  };
}

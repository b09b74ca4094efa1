/** Draws the shapes of a chart as a PNG image, at the scale of the font's letters. */
import { crc32, deflateSync } from 'node:zlib';
import { type ChartFont, readChartFont } from './chart-font.ts';
import { DASH, type DotShape, type Drawing, type LineShape, type TextShape } from './chart-shapes.ts';

export function toPng({ width, height, shapes }: Drawing): Uint8Array {
  const font = readChartFont();
  const image = new Canvas(width * font.scale, height * font.scale);
  for (const shape of shapes) {
    if (shape.kind === 'text') drawText(image, shape, font);
    else if (shape.kind === 'line') drawLine(image, shape, font.scale);
    else drawDot(image, shape, font.scale);
  }
  return image.toPng();
}

/** An RGB image on white. */
class Canvas {
  readonly width: number;
  readonly height: number;
  readonly #pixels: Uint8Array;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.#pixels = new Uint8Array(width * height * 3).fill(255);
  }

  /** Blend a colour over a pixel; outside of the image nothing happens. */
  blend(x: number, y: number, [red, green, blue]: Colour, opacity: number): void {
    if (x < 0 || y < 0 || x >= this.width || y >= this.height) return;
    const at = (y * this.width + x) * 3;
    const pixels = this.#pixels;
    pixels[at] = Math.round(pixels[at]! + (red - pixels[at]!) * opacity);
    pixels[at + 1] = Math.round(pixels[at + 1]! + (green - pixels[at + 1]!) * opacity);
    pixels[at + 2] = Math.round(pixels[at + 2]! + (blue - pixels[at + 2]!) * opacity);
  }

  toPng(): Uint8Array {
    const row = this.width * 3;
    // Each line begins with its filter: none.
    const raw = new Uint8Array((row + 1) * this.height);
    for (let y = 0; y < this.height; y++) raw.set(this.#pixels.subarray(y * row, (y + 1) * row), y * (row + 1) + 1);
    const header = Buffer.alloc(13);
    header.writeUInt32BE(this.width, 0);
    header.writeUInt32BE(this.height, 4);
    // 8 bits of red, green and blue.
    header.set([8, 2, 0, 0, 0], 8);
    const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
    return Buffer.concat([
      signature,
      chunk('IHDR', header),
      chunk('IDAT', deflateSync(raw)),
      chunk('IEND', Buffer.alloc(0)),
    ]);
  }
}

type Colour = readonly [red: number, green: number, blue: number];

function chunk(name: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  framed.set(body, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}

function drawText(image: Canvas, shape: TextShape, font: ChartFont): void {
  const glyphs = Array.from(shape.content, (letter) => font.glyph(shape, letter));
  const width = glyphs.reduce((sum, { advance }) => sum + advance, 0);
  const colour = toColour(shape.colour);
  let pen = shape.x * font.scale - (shape.anchor === 'start' ? 0 : shape.anchor === 'end' ? width : width / 2);
  const baseline = Math.round(shape.y * font.scale);
  for (const glyph of glyphs) {
    const left = Math.round(pen) + glyph.left;
    for (let at = 0; at < glyph.alphas.length; at++) {
      const alpha = glyph.alphas[at]!;
      if (alpha === 0) continue;
      const [x, y] = [left + (at % glyph.width), baseline + glyph.top + Math.floor(at / glyph.width)];
      image.blend(x, y, colour, alpha / 15);
    }
    pen += glyph.advance;
  }
}

function drawLine(image: Canvas, { x1, y1, x2, y2, colour, isDashed }: LineShape, scale: number): void {
  const rgb = toColour(colour);
  const isHorizontal = y1 === y2;
  const [start, end] = isHorizontal ? [x1, x2] : [y1, y2];
  const across = Math.round((isHorizontal ? y1 : x1) * scale - scale / 2);
  for (let along = Math.round(start * scale); along < Math.round(end * scale); along++) {
    const isOff = isDashed && Math.floor((along / scale - start) / DASH) % 2 === 1;
    for (let thick = 0; thick < scale && !isOff; thick++) {
      if (isHorizontal) image.blend(along, across + thick, rgb, 1);
      else image.blend(across + thick, along, rgb, 1);
    }
  }
}

function drawDot(image: Canvas, { x, y, radius, colour }: DotShape, scale: number): void {
  const rgb = toColour(colour);
  const [cx, cy, r] = [x * scale, y * scale, radius * scale];
  for (let py = Math.floor(cy - r - 1); py <= cy + r + 1; py++) {
    for (let px = Math.floor(cx - r - 1); px <= cx + r + 1; px++) {
      // The covered part of a pixel, by the distance of its centre from the edge.
      const covered = r + 0.5 - Math.hypot(px + 0.5 - cx, py + 0.5 - cy);
      if (covered > 0) image.blend(px, py, rgb, Math.min(1, covered));
    }
  }
}

/** `#8250df`. */
function toColour(hex: string): Colour {
  const value = Number.parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

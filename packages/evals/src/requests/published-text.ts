/**
 * The texts of the published form. mesh-transformer-jax passes every text through ftfy's `fix_text` with normalisation NFKC.
 * On all texts of the built-in tasks, ftfy 6.3.1 does what this does (checked text by text, and by the hashes of the
 * requests); its repair of wrongly decoded characters occurs once, in MathQA.
 */

/** The bytes E2 A0 81 of U+2801, decoded as Latin-1, with the no-break space made a space. */
const WRONGLY_DECODED = '\u00e2 \u0081';

export function toPublishedText(text: string): string {
  return text
    .replaceAll(WRONGLY_DECODED, '\u2801')
    .replaceAll(/[\u02bc\u2018-\u201b]/g, "'")
    .replaceAll(/[\u201c-\u201f]/g, '"')
    .normalize('NFKC');
}

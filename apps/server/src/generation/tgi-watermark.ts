/** The scheme and strength of the watermark of text-generation-inference, as `watermarking_config` of `generate`. */
export const TGI_WATERMARK: Readonly<Record<string, number>> = { greenlist_ratio: 0.5, bias: 2 };

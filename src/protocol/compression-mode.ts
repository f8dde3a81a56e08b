/** When the content of data frames is compressed: where the path to the sinks holds the source back, always, or never. */
export const COMPRESSION_MODES = ["auto", "on", "off"] as const;
/** `auto` compresses where that makes the copy faster; `off` never does. */
export type CompressionMode = (typeof COMPRESSION_MODES)[number];

/** When the content of data frames is compressed: where the path to the sinks holds the source back, always, or never. */
export const COMPRESSION_MODES = ["auto", "on", "off"] as const;
export type CompressionMode = (typeof COMPRESSION_MODES)[number];

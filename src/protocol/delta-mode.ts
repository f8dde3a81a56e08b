/** When large files that changed travel as recipes [P-17]: where the path to the sinks holds the source back, always, or never. */
export const DELTA_MODES = ["auto", "on", "off"] as const;
/** `auto` makes recipes where that makes the copy faster; `off` never does. */
export type DeltaMode = (typeof DELTA_MODES)[number];

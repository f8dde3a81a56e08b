import { expect } from "vitest";

/** The outcome of a whole copy, of which a part may have been stored before it began: how much, the machine's speed decides. */
export const WHOLE: unknown = expect.stringMatching(/^(proven|complete)$/);

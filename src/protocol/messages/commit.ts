import { SESSION_ID_CHARS } from "../limits.ts";
import type { Shaped } from "../shape/shape.ts";
import { shape } from "../shape/shapes.ts";

/** What becomes of a snapshot that is proven when its fleet does not switch to it: it goes, or stays beside the newest. */
export const COMMIT_ELSE = ["drop", "keep"] as const;
export type CommitElse = (typeof COMMIT_ELSE)[number];

/** How many sinks must have a whole copy before any of them switches. Zero: all that take part. */
export const commitOrderShape = shape.object({
  needed: shape.int().min(0).max(256),
  otherwise: shape.word(COMMIT_ELSE),
});

export type CommitOrder = Shaped<typeof commitOrderShape>;

const id = shape.text().regex(new RegExp(`^[a-z0-9]{${SESSION_ID_CHARS}}$`));
const epoch = shape.int().min(1).max(0xffff_ffff);
/** One start of the copy of a session, at the coordinator that decides on it. */
export const commitRefShape = shape.object({
  /** Drawn by a coordinator for its state: another one knows nothing of what this one has decided. */
  coordinator: shape.text().regex(/^[0-9a-f]{32}$/),
  sessionId: id,
  epoch,
});
/** What was decided on it: `digest`, in hex, is that of the tree to which the sinks switch. Absent: to none. */
export const decisionShape = shape.object({
  sessionId: id,
  epoch,
  digest: shape
    .text()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
});
export type CommitDecision = Shaped<typeof decisionShape>;

/** One start of the copy of a session: what is decided on. */
export interface CommitRef {
  readonly sessionId: string;
  readonly epoch: number;
}

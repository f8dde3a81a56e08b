import { FanfoldError } from "../../lib/errors.ts";
import { DIRECTORY_NAME_CHARS_MAX } from "../../protocol/limits.ts";
import { takenShape } from "../../protocol/messages/taken.ts";
import { ShapeFault } from "../../protocol/shape/fault.ts";
import type { Shaped } from "../../protocol/shape/shape.ts";
import { shape } from "../../protocol/shape/shapes.ts";
import { snapshotTimeMs } from "./snapshot-name.ts";

/** In the folder of a snapshot's facts, `.fanfold/snapshots/<name>`. */
export const SNAPSHOT_FILES = {
  facts: "snapshot.json",
  manifest: "manifest",
  /** As the sink signed it, in its compact form. */
  receipt: "receipt",
  /** A fidelity report, as JSON. */
  fidelity: "fidelity.json",
} as const;

const SNAPSHOT_FACTS_VERSION = 1;
/** One with the longest names has 2 KiB. */
export const SNAPSHOT_FACTS_BYTES_MAX = 16 * 1024;

const count = shape.int().nonnegative();

const factsShape = shape.object({
  version: shape.int().min(1),
  name: shape
    .text()
    .max(20)
    .check((text) => (snapshotTimeMs(text) === undefined ? "want a time such as 2026-11-29T14-55-30Z" : undefined)),
  session: shape.text().max(64),
  sessionId: shape.text().max(64),
  source: shape.object({
    /** What the source was called in the session: its host, unless it was told otherwise. */
    name: shape.text().max(256),
    /** Its identity. */
    key: shape.text().max(128),
    /** Last name of the path of its folder; absent where the coordinator was not to read names. */
    folder: shape.text().max(DIRECTORY_NAME_CHARS_MAX).optional(),
  }),
  files: count,
  bytes: count,
  /** Of its files those that no snapshot before it shares, as it was made. */
  bytesNew: count.optional(),
  /** Of the tree, in hex. */
  digest: shape.text().regex(/^[0-9a-f]{64}$/),
  createdAt: shape.text().dateTime(),
  /** When it was proven for the first time. */
  provenAt: shape.text().dateTime(),
  /** When a later session that changed nothing proved it once more; the last time. */
  provenAgainAt: shape.text().dateTime().optional(),
  /** How many sessions proved it. */
  proofs: shape.int().min(1),
  /** Files whose content was not read when it was proven last. */
  takenAsUnchanged: takenShape.optional(),
  /** Its fleet has not switched to it, or not yet: `latest` does not lead to it by itself. */
  setAside: shape.flag().optional(),
  /** Entries of the source that it has not, or not as they were. */
  problemCount: count,
});
/** What is known of a snapshot without a look into its tree. */
export type SnapshotFacts = Shaped<typeof factsShape>;

/** The facts of a snapshot of this release, as JSON. */
export function encodeSnapshotFacts(facts: Omit<SnapshotFacts, "version">): string {
  return `${JSON.stringify({ version: SNAPSHOT_FACTS_VERSION, ...facts }, undefined, 2)}\n`;
}

/** @throws FanfoldError `snapshot-damaged` for anything other than facts, as JSON, of a snapshot of this name */
export function decodeSnapshotFacts(bytes: Uint8Array, name: string): SnapshotFacts {
  const refuse = (why: string, cause?: unknown): FanfoldError => {
    const text = `cannot read "${SNAPSHOT_FILES.facts}" of the snapshot ${name}: ${why}`;
    return new FanfoldError("snapshot-damaged", text, { cause });
  };
  if (bytes.length > SNAPSHOT_FACTS_BYTES_MAX)
    throw refuse(`it has more than ${SNAPSHOT_FACTS_BYTES_MAX} bytes, which no such file has`);
  const read = factsShape.read(jsonOf(bytes, refuse));
  if (read instanceof ShapeFault) throw refuse(`${read}`);
  if (read.version !== SNAPSHOT_FACTS_VERSION)
    throw refuse(`it has the format ${read.version}, expected ${SNAPSHOT_FACTS_VERSION}: another release wrote it`);
  if (read.name !== name) throw refuse(`it is that of ${read.name}`);
  return read;
}

function jsonOf(bytes: Uint8Array, refuse: (why: string, cause: unknown) => FanfoldError): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw refuse("it is cut off, or was altered", cause);
  }
}

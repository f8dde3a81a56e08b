import { EXAMPLE_CHARS_MAX } from "../limits.ts";
import type { Shaped } from "../shape/shape.ts";
import { shape } from "../shape/shapes.ts";
import { fitExample } from "./cut-text.ts";

/**
 * What a sink could not carry exactly. The entry itself is there, or was left out on purpose. It is reported, and does not
 * make the copy incomplete. docs/fidelity.md says when each is counted.
 */
export const FIDELITY_KINDS = [
  "owner", // its user or group is another one
  "setuid", // its set-user-id, set-group-id bit or capability was left out, because its owner could not be set
  "permissions", // its permission bits are others
  "time", // its modification time is off by a microsecond or more
  "time-fraction", // its modification time is right but for nanoseconds
  "attributes", // some of its extended attributes are missing, or could not be removed
  "acl", // its access control list is missing, or could not be removed
  "fifo", // a FIFO that could not be made
  "device", // a device that was not made: no `--specials`, or not permitted
  "hard-link", // a name of a file with several names became a file of its own
  "sparse", // holes take space on the disk
  "name-collision", // its name and another one are the same to the folder's file system
] as const;
export type FidelityKind = (typeof FIDELITY_KINDS)[number];

const FIDELITY_EXAMPLES_MAX = 5;

export const fidelityReportShape = shape
  .list(
    shape.object({
      what: shape.word(FIDELITY_KINDS),
      /** Entries that it was met at. */
      count: shape.int().min(1),
      /** The first of them: escaped paths relative to the root, cut when they are long. */
      examples: shape.list(shape.text().max(EXAMPLE_CHARS_MAX)).max(FIDELITY_EXAMPLES_MAX),
    }),
  )
  .max(FIDELITY_KINDS.length);
/** In the order of the kinds; what was not met is not listed. */
export type FidelityReport = Shaped<typeof fidelityReportShape>;

/** Counts what could not be carried. It holds a few examples of each kind, however much there is. */
export class FidelityTally {
  readonly #met = new Map<FidelityKind, { count: number; readonly examples: string[] }>();

  /** `shown`: the entry's path, escaped (entryDisplay). */
  add(what: FidelityKind, shown: string): void {
    const met = this.#met.get(what) ?? { count: 0, examples: [] };
    this.#met.set(what, met);
    met.count += 1;
    if (met.examples.length < FIDELITY_EXAMPLES_MAX) met.examples.push(fitExample(shown));
  }

  /** Counts what another one has counted. */
  addAll(other: FidelityTally): void {
    for (const [what, { count, examples }] of other.#met) {
      const met = this.#met.get(what) ?? { count: 0, examples: [] };
      this.#met.set(what, met);
      met.count += count;
      met.examples.push(...examples.slice(0, FIDELITY_EXAMPLES_MAX - met.examples.length));
    }
  }

  report(): FidelityReport {
    return FIDELITY_KINDS.flatMap((what) => {
      const met = this.#met.get(what);
      return met === undefined ? [] : [{ what, count: met.count, examples: [...met.examples] }];
    });
  }
}

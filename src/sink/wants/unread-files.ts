import type { PageRows } from "../../protocol/frame/page-rows.ts";
import { type EncodedStates, unchangedHash } from "../../protocol/frame/trailer.ts";
import type { Problem } from "../../protocol/messages/progress.ts";
import { changedHere, otherContent } from "../disk/entry-problem.ts";
import { PlainLook } from "../disk/plain-look.ts";
import type { EngineParts } from "../engine/engine-parts.ts";
import { hasContent, isStillHere } from "./page-wants.ts";

type UnreadParts = Pick<EngineParts, "root" | "shared" | "manifest" | "onBusy">;

/**
 * Files that no sink wanted, and that this one took as unchanged. Each must still be what it was when this sink said that it
 * has it. And its content must be what the source says [P-9.1]: by the hash that an earlier copy proved here, and where that
 * is another one or not known, by reading it now.
 */
export class UnreadFiles {
  readonly #parts: UnreadParts;
  readonly #plain: PlainLook;

  constructor(parts: UnreadParts) {
    this.#parts = parts;
    this.#plain = new PlainLook(parts.root);
  }

  /** Those of a page, by their index, with which something is wrong. To be asked in the order of the pages, once of each. */
  *odd(
    rows: PageRows,
    states: EncodedStates,
    isUnread: (index: number) => boolean,
  ): Generator<readonly [index: number, problem: Problem], void, undefined> {
    for (let index = 0; index < rows.count; index += 1) {
      const problem = isUnread(index) ? this.#problemOf(rows, index, unchangedHash(states, index)) : undefined;
      if (problem !== undefined) yield [index, problem];
    }
  }

  /** `hash` is what the source says. */
  #problemOf(rows: PageRows, index: number, hash: Uint8Array): Problem | undefined {
    if (!this.#isHere(rows, index)) return changedHere(rows.entry(index));
    if (this.#isProven(rows, index, hash)) return undefined;
    const entry = rows.file(index);
    if (entry === undefined || hasContent(entry, hash, this.#parts)) return undefined;
    this.#parts.root.damage.add(entry);
    return otherContent(entry);
  }

  #isHere(rows: PageRows, index: number): boolean {
    const { root, shared } = this.#parts;
    const isHeld = shared.holds(rows.first + index);
    if (!isHeld && this.#plain.isSameFile(rows, index)) return true;
    const entry = rows.file(index);
    if (entry === undefined) return false;
    return isHeld ? shared.isAsHeld(root, entry) : isStillHere(root, entry);
  }

  /** By its page, from which its content was compared when it came, or by the manifest before. */
  #isProven(rows: PageRows, index: number, hash: Uint8Array): boolean {
    const listed = rows.hash(index);
    if (listed !== undefined && Buffer.compare(listed, hash) === 0) return true;
    const { manifest } = this.#parts;
    const known = manifest.known(rows, index);
    if (known === undefined || Buffer.compare(known.hash, hash) !== 0) return false;
    manifest.take(rows.size(index), known.provenMs);
    return true;
  }
}

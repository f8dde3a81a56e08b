import type { FidelityTally } from "../../protocol/messages/fidelity.ts";
import type { Engine } from "../engine/engine.ts";
import type { OpenCopy } from "../engine/open-copy.ts";
import type { CheckedFrame } from "../stream/checked-frame.ts";
import type { WantMessage } from "../wants/page-wants.ts";
import type { UnchangedLook } from "./unchanged-look.ts";

interface PatientOptions {
  readonly look: UnchangedLook;
  /** What the look found not to be carried exactly. */
  readonly found: FidelityTally;
  /** Where that is counted for this copy. */
  readonly fidelity: FidelityTally;
  /** Opens the copy that makes the next tree. */
  readonly open: (want: (want: WantMessage) => void) => OpenCopy;
  readonly want: (want: WantMessage) => void;
}

const NOTHING = new Uint8Array(0);

/**
 * A copy that begins to make the next tree only when something differs from the newest snapshot. Until then it looks at the
 * snapshot where it stands.
 */
export class PatientCopy implements OpenCopy {
  readonly #options: PatientOptions;
  readonly engine: Engine;
  /** A snapshot is made without any deletion. */
  readonly deletes = false;
  #copy: OpenCopy | undefined;
  #isAgain = false;

  constructor(options: PatientOptions) {
    this.#options = options;
    const now = (): Pick<Engine, "counts" | "pages" | "digest"> => this.#copy?.engine ?? options.look;
    this.engine = {
      get counts() {
        return now().counts;
      },
      get pages() {
        return now().pages;
      },
      get digest() {
        return now().digest;
      },
      accept: (checked) => this.#accept(checked),
      alteredError: (chunk) => (this.#copy ?? this.#begin()).engine.alteredError(chunk),
    };
  }

  get takenAsUnchanged() {
    return (this.#copy ?? this.#options.look).takenAsUnchanged;
  }

  finishTree() {
    if (this.#copy !== undefined) return this.#copy.finishTree();
    return { isChanged: false, bytesShared: 0, filesCopied: 0 };
  }

  delete() {
    return undefined;
  }

  isWhole(): boolean {
    return this.#copy?.isWhole() ?? this.#options.look.isThere();
  }

  release(end: Parameters<OpenCopy["release"]>[0]): void {
    this.#options.look[Symbol.dispose]();
    this.#copy?.release(end);
  }

  #accept(checked: CheckedFrame): void {
    const { look, want, found, fidelity } = this.#options;
    if (this.#copy === undefined && look.take(checked.frame, want)) {
      if (look.digest !== undefined) fidelity.addAll(found);
      return;
    }
    (this.#copy ?? this.#begin()).engine.accept(checked);
  }

  /** The engine for all cases gets what came so far. What is wanted of it was answered: nothing. */
  #begin(): OpenCopy {
    const { look, open, want } = this.#options;
    look.end();
    const copy = open((answer) => {
      if (!this.#isAgain) want(answer);
    });
    this.#copy = copy;
    this.#isAgain = true;
    const head = { sessionId: "", epoch: 1, stream: 0, sequence: 0, plainBytes: 0, content: NOTHING };
    for (const frame of look.again()) copy.engine.accept({ frame: { ...head, ...frame }, records: [], hashes: [] });
    this.#isAgain = false;
    look[Symbol.dispose]();
    return copy;
  }
}

import type { Clock } from "../../lib/clock.ts";
import { FanfoldError, systemCode } from "../../lib/errors.ts";
import type { Random } from "../../lib/random.ts";
import type { Entry } from "../../protocol/frame/page.ts";
import type { Root } from "../disk/root.ts";
import { KnownDamage } from "../own/known-damage.ts";

/** What is found is put on the disk this often at most: the list is written as a whole. */
const SAVE_MS = 1_000;

/** What a check has for the next copy at its end. */
export interface DamageMemory {
  /** Files that the next copy wants, whatever their size and time. */
  readonly files: number | "all";
  /** Why it could not be remembered; what it says follows "the list". */
  readonly failure?: string;
}

interface FoundDamageOptions {
  readonly root: Root;
  readonly clock: Clock;
  readonly random: Random;
}

/** Remembers in a folder which files a check found damaged, while it runs, so that the next copy wants them. */
export class FoundDamage {
  readonly #options: FoundDamageOptions;
  readonly #damage: KnownDamage;
  #savedMs = Number.NEGATIVE_INFINITY;
  #failure: string | undefined;

  constructor(options: FoundDamageOptions) {
    this.#options = options;
    this.#damage = KnownDamage.read(options.root);
  }

  content(entry: Entry, isRight: boolean): void {
    if (isRight) this.#damage.mend(entry);
    else this.#damage.add(entry);
  }

  /** Now and then: what is killed later has not looked in vain. */
  keep(): void {
    const nowMs = this.#options.clock.nowMs();
    if (nowMs - this.#savedMs < SAVE_MS) return;
    this.#savedMs = nowMs;
    this.#save();
  }

  /** All files were looked at. */
  end(): DamageMemory {
    this.#damage.lookedAtAll();
    this.#save();
    const { files } = this.#damage;
    return this.#failure === undefined ? { files } : { files, failure: this.#failure };
  }

  /** Who may only read a folder can check it nevertheless. */
  #save(): void {
    if (this.#failure !== undefined) return;
    try {
      this.#damage.save(this.#options.root, this.#options.random);
    } catch (thrown) {
      if (systemCode(thrown) === undefined) throw thrown;
      this.#failure = `cannot be written: ${REASONS[systemCode(thrown) ?? ""] ?? FanfoldError.from(thrown).message}`;
    }
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  EROFS: "its file system is read-only",
  ENOSPC: "its file system is full",
  EDQUOT: "the disk quota is used up",
  EIO: "input/output error of its disk",
};

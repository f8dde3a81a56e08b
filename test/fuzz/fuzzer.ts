import { SeededRandom } from "../helpers/seeded-random.ts";
import type { Coverage } from "./coverage.ts";
import { mutate } from "./mutate.ts";

/** What is fuzzed: one decoder, or a part that takes what a peer sends. */
export interface FuzzTarget {
  readonly name: string;
  /** Good inputs to begin with. */
  readonly seeds: () => readonly Uint8Array[];
  /** Words of its format. */
  readonly words?: readonly string[];
  /** Throws for a finding only: a refusal with one of the right codes is none. */
  readonly run: (input: Uint8Array) => void;
}

export interface Finding {
  readonly input: Uint8Array;
  /** The error, with where it was thrown. */
  readonly what: string;
}

export interface FuzzerOptions {
  readonly target: FuzzTarget;
  readonly coverage: Coverage;
  readonly seed: number;
  /** Inputs of earlier runs. */
  readonly known?: readonly Uint8Array[];
  /** Called with each input before it is run: what a hang leaves behind. */
  readonly onInput?: (input: Uint8Array) => void;
  readonly onKept?: (input: Uint8Array) => void;
  readonly onFinding: (finding: Finding) => void;
  readonly nowMs: () => number;
}

const INPUT_BYTES_MAX = 16 * 1024;
const BATCH = 128;
/** Of the batches that run nothing new, how many have one input looked at for new counts of loops. */
const LOOKED_AT_SHARE = 1 / 4;
/** An input that takes longer is a finding; the least of three tries counts. */
const RUN_MS_MAX = 2000;
const MINIMISE_RUNS_MAX = 400;
/** Of inputs that take long: the thread must tell of itself in between. */
const MINIMISE_SLOW_RUNS_MAX = 4;

/** Changes inputs at random, keeps those that reach something new, and goes on from them. Everything follows from the seed. */
export class Fuzzer {
  readonly #options: FuzzerOptions;
  readonly #random: SeededRandom;
  readonly #corpus: Uint8Array[] = [];
  readonly #found = new Set<string>();
  #runs = 0;

  constructor(options: FuzzerOptions) {
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
    for (const input of [...options.target.seeds(), ...(options.known ?? [])]) this.#try(input);
    if (this.#corpus.length === 0) this.#corpus.push(new Uint8Array(0));
  }

  get runs(): number {
    return this.#runs;
  }

  get corpus(): readonly Uint8Array[] {
    return this.#corpus;
  }

  /** Runs one batch of new inputs. */
  batch(): void {
    const inputs = Array.from({ length: BATCH }, () => this.#next());
    for (const input of inputs) this.#run(input);
    if (this.#options.coverage.hasNewBlocks()) this.#find(inputs);
    else if (this.#random.chance(LOOKED_AT_SHARE)) this.#try(this.#random.pick(inputs));
  }

  /** Looks for those of the inputs that reach something new: what was run is costly to ask for, so by halves. */
  #find(inputs: readonly Uint8Array[]): void {
    const middle = inputs.length >> 1;
    for (const half of [inputs.slice(0, middle), inputs.slice(middle)]) {
      const [only] = half;
      if (half.length === 1 && only !== undefined) this.#try(only);
      else {
        for (const input of half) this.#run(input);
        if (this.#options.coverage.hasNewBlocks()) this.#find(half);
      }
    }
  }

  #next(): Uint8Array {
    const { words = [] } = this.#options.target;
    const corpus = this.#corpus;
    // Half of the time from what was found last: there is most to be found behind it.
    const first = this.#random.chance(0.5) ? Math.floor(corpus.length * 0.8) : 0;
    const input = corpus[this.#random.between(first, corpus.length - 1)] ?? new Uint8Array(0);
    return mutate(input, { random: this.#random, corpus, words, maxBytes: INPUT_BYTES_MAX });
  }

  /** Runs an input on its own, and keeps it when it reached something new. */
  #try(input: Uint8Array): void {
    this.#run(input);
    if (this.#options.coverage.takeAll() === 0) return;
    this.#corpus.push(input);
    this.#options.onKept?.(input);
  }

  #run(input: Uint8Array): void {
    const what = this.#outcome(input);
    if (what === undefined || this.#found.has(what)) return;
    this.#found.add(what);
    this.#options.onFinding({ input: this.#minimised(input, what), what });
  }

  #outcome(input: Uint8Array): string | undefined {
    const { target, onInput, nowMs } = this.#options;
    this.#runs += 1;
    onInput?.(input);
    let leastMs = Number.POSITIVE_INFINITY;
    for (let tries = 0; tries < 3; tries += 1) {
      const startMs = nowMs();
      try {
        target.run(Uint8Array.from(input));
      } catch (thrown) {
        return described(thrown);
      }
      leastMs = Math.min(leastMs, nowMs() - startMs);
      if (leastMs <= RUN_MS_MAX) return undefined;
    }
    return `takes longer than ${RUN_MS_MAX} ms`;
  }

  /** Leaves out what the finding does not need: halves first, then smaller and smaller parts. */
  #minimised(input: Uint8Array, what: string): Uint8Array {
    let least = Buffer.from(input);
    let runs = what.startsWith("takes") ? MINIMISE_RUNS_MAX - MINIMISE_SLOW_RUNS_MAX : 0;
    for (let part = Math.ceil(least.length / 2); part >= 1; part = part === 1 ? 0 : Math.ceil(part / 2)) {
      for (let at = 0; at < least.length && runs < MINIMISE_RUNS_MAX; ) {
        const shorter = Buffer.concat([least.subarray(0, at), least.subarray(at + part)]);
        runs += 1;
        if (this.#outcome(shorter) === what) least = shorter;
        else at += part;
      }
    }
    return least;
  }
}

/** The error and its place in the program, which tell one finding from another. */
function described(thrown: unknown): string {
  if (!(thrown instanceof Error)) return `throws ${String(thrown)}`;
  const place = thrown.stack?.split("\n").find((line) => line.includes("/src/") || line.includes("/test/"));
  const code = "code" in thrown ? ` [${String(thrown.code)}]` : "";
  return `${thrown.name}${code}: ${thrown.message.slice(0, 200).replaceAll(/\d+/g, "N")} ${place?.trim().replace(/^.*\/(src|test)\//, "at $1/") ?? ""}`;
}

import { systemClock } from "../../../src/lib/clock.ts";
import { FanfoldError } from "../../../src/lib/errors.ts";
import { entryDisplay } from "../../../src/protocol/frame/page.ts";
import type { Deletion } from "../../../src/protocol/messages/deletion.ts";
import { FidelityTally } from "../../../src/protocol/messages/fidelity.ts";
import type { Problem } from "../../../src/protocol/messages/progress.ts";
import type { DeletionPolicy } from "../../../src/sink/deletion/deletion.ts";
import type { LacksMessage } from "../../../src/sink/delta/open-recipes.ts";
import { Root } from "../../../src/sink/disk/root.ts";
import type { RootOptions } from "../../../src/sink/disk/root-options.ts";
import type { CopyEngine } from "../../../src/sink/engine/copy-engine.ts";
import type { TreeChanges } from "../../../src/sink/engine/engine-messages.ts";
import { openCopy } from "../../../src/sink/engine/open-copy.ts";
import type { SnapshotCopy } from "../../../src/sink/engine/snapshot-copy.ts";
import type { Doubts } from "../../../src/sink/own/sync-mark.ts";
import { checkFrame } from "../../../src/sink/stream/checked-frame.ts";
import type { WantMessage } from "../../../src/sink/wants/page-wants.ts";

export interface OpenEngine extends Disposable {
  readonly engine: CopyEngine;
  readonly root: Root;
  readonly problems: Problem[];
  readonly files: string[];
  /** What was wanted of each page. */
  readonly wants: WantMessage[];
  /** What was lacked of each slice of a recipe, and of which entries the answers have arrived. */
  readonly lacks: LacksMessage[];
  readonly settled: number[];
  readonly fidelity: FidelityTally;
  /** Takes a whole payload, as it would come from a transport. */
  accept(payload: Uint8Array): void;
  /** The copy is proven: what the folder remembers of it is kept. Nothing more comes. */
  prove(): void;
  /** What a tree that is to be a snapshot is to the one before. */
  finishTree(): TreeChanges | undefined;
  /** What comes behind the sync: the deletion that the source asked for. */
  delete(): { readonly deletion: Deletion | undefined; readonly deleted: readonly string[] };
}

export interface OpenEngineOptions {
  readonly doubts?: Doubts;
  /** @default the time now */
  readonly nowMs?: number;
  /** What the disk has left; by default what it says. */
  readonly freeBytes?: () => number;
  readonly root?: RootOptions;
  /** Whether devices are made. @default false */
  readonly specials?: boolean;
  /** What may be deleted. @default anything */
  readonly deletion?: DeletionPolicy;
  /** How many entries with several names may wait for the end. */
  readonly sharedMax?: number;
  /** What the copy is made from, which is to be a snapshot. */
  readonly snapshot?: SnapshotCopy;
  /** Called now and then while much is read. */
  readonly onBusy?: () => void;
}

/** A sink's engine over a real folder, as its thread opens it. */
export function openEngine(folder: string, options: OpenEngineOptions = {}): OpenEngine {
  const fidelity = new FidelityTally();
  const root = Root.open(Buffer.from(folder), { tally: fidelity, ...options.root });
  const startedMs = options.nowMs ?? systemClock.date().getTime();
  const [problems, files, wants]: [Problem[], string[], WantMessage[]] = [[], [], []];
  const deleted: string[] = [];
  const [lacks, settled]: [LacksMessage[], number[]] = [[], []];
  const copy = openCopy(
    root,
    {
      origin: { session: "photos", sessionId: "abcdefghijkl", source: "s", startedMs },
      fidelity,
      doubts: options.doubts ?? [],
      numericIds: options.root?.numericIds ?? false,
      specials: options.specials ?? false,
      deletion: options.deletion ?? { forbidden: false },
      isSynced: true,
      onBusy: options.onBusy ?? (() => undefined),
      snapshot: options.snapshot,
      ...(options.freeBytes === undefined ? {} : { freeBytes: options.freeBytes }),
      ...(options.sharedMax === undefined ? {} : { sharedMax: options.sharedMax }),
    },
    {
      want: (want) => wants.push(want),
      lacks: (answer) => lacks.push(answer),
      settled: (entry) => settled.push(entry),
      file: (entry) => files.push(entryDisplay(entry)),
      problem: (problem) => problems.push(problem),
      deleted: (path) => deleted.push(path),
    },
  );
  const { engine } = copy;
  return {
    engine,
    root,
    problems,
    files,
    wants,
    lacks,
    settled,
    fidelity,
    accept(payload) {
      const checked = checkFrame(payload);
      if (!("type" in checked)) engine.accept(checked);
      else
        throw checked.type === "altered" ? engine.alteredError(checked.chunk) : new FanfoldError("damaged", "no frame");
    },
    prove: () => copy.release("proven"),
    finishTree: () => copy.finishTree(),
    delete() {
      const deletion = copy.delete({
        onDeleted: (path) => deleted.push(path),
        onProblem: (problem) => problems.push(problem),
      });
      return { deletion, deleted };
    },
    [Symbol.dispose]: () => copy.release("failed"),
  };
}

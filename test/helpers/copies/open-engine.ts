import { systemClock } from "../../../src/lib/clock.ts";
import { SpillFile } from "../../../src/lib/disk/spill-file.ts";
import { FanfoldError } from "../../../src/lib/errors.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import type { Deletion } from "../../../src/protocol/messages/deletion.ts";
import { FidelityTally } from "../../../src/protocol/messages/fidelity.ts";
import type { Problem } from "../../../src/protocol/messages/progress.ts";
import { type DeletionPolicy, deleteExtras } from "../../../src/sink/deletion/deletion.ts";
import { Root } from "../../../src/sink/disk/root.ts";
import type { RootOptions } from "../../../src/sink/disk/root-options.ts";
import { CopyEngine } from "../../../src/sink/engine/copy-engine.ts";
import { FileWriter } from "../../../src/sink/engine/file-writer.ts";
import { FreeSpace } from "../../../src/sink/engine/free-space.ts";
import type { WantMessage } from "../../../src/sink/engine/page-wants.ts";
import { SharedEntries } from "../../../src/sink/engine/shared-entries.ts";
import { WantJudge } from "../../../src/sink/engine/want-judge.ts";
import { openManifestWriter } from "../../../src/sink/manifest/manifest-writer.ts";
import { prepareFolder } from "../../../src/sink/own/probe-folder.ts";
import { type Doubts, isDoubted } from "../../../src/sink/own/sync-mark.ts";
import { checkFrame } from "../../../src/sink/stream/checked-frame.ts";
import { PageStore } from "../../../src/sink/stream/page-store.ts";
import { ScopeStore } from "../../../src/sink/stream/scope-store.ts";
import { TreeOrder } from "../../../src/sink/stream/tree-order.ts";

export interface OpenEngine extends Disposable {
  readonly engine: CopyEngine;
  readonly root: Root;
  readonly problems: Problem[];
  readonly files: string[];
  /** What was wanted of each page. */
  readonly wants: WantMessage[];
  readonly fidelity: FidelityTally;
  /** Takes a whole payload, as it would come from a transport. */
  accept(payload: Uint8Array): void;
  /** What comes behind the sync: the deletion that the source asked for. */
  delete(policy?: DeletionPolicy): { readonly deletion: Deletion | undefined; readonly deleted: readonly string[] };
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
  /** How many entries with several names may wait for the end. */
  readonly sharedMax?: number;
}

/** A sink's engine over a real folder, made of the parts its thread makes it of. */
export function openEngine(folder: string, options: OpenEngineOptions = {}): OpenEngine {
  const fidelity = new FidelityTally();
  const root = Root.open(Buffer.from(folder), { tally: fidelity, ...options.root });
  const doubted = (ctimeMs: number) => isDoubted(options.doubts ?? [], ctimeMs);
  prepareFolder(root, options.nowMs ?? systemClock.date().getTime(), doubted);
  const pageStore = new PageStore(SpillFile.open());
  const order = new TreeOrder({ pageStore, random: systemRandom });
  const writer = new FileWriter(root);
  const space = new FreeSpace(options.freeBytes ?? (() => root.freeBytes()));
  const meta = { session: "photos", sessionId: "abcdefghijkl", source: "s", timeMs: options.nowMs ?? 0 };
  const asRoot = root.metadata.isRoot;
  const manifest = openManifestWriter(root, { ...meta, numericIds: options.root?.numericIds ?? false, asRoot });
  root.metadata.onLack = (entry, what) => manifest.lacks(entry, what);
  const shared = new SharedEntries(options.sharedMax);
  const judge = new WantJudge({ root, space, shared, isDoubted: doubted, onBusy: () => undefined });
  const scope = new ScopeStore();
  const [problems, files, wants]: [Problem[], string[], WantMessage[]] = [[], [], []];
  const engine = new CopyEngine(
    {
      root,
      pageStore,
      order,
      writer,
      judge,
      space,
      shared,
      manifest,
      fidelity,
      scope,
      specials: options.specials ?? false,
    },
    {
      want: (want) => wants.push(want),
      file: (path) => files.push(path),
      problem: (problem) => problems.push(problem),
    },
  );
  return {
    engine,
    root,
    problems,
    files,
    wants,
    fidelity,
    accept(payload) {
      const checked = checkFrame(payload);
      if (!("type" in checked)) engine.accept(checked);
      else
        throw checked.type === "altered" ? engine.alteredError(checked.chunk) : new FanfoldError("damaged", "no frame");
    },
    delete(policy = { forbidden: false }) {
      const deleted: string[] = [];
      const deletion = deleteExtras(
        { root, pageStore, scope, policy, onBusy: () => undefined },
        { onDeleted: (path) => deleted.push(path), onProblem: (problem) => problems.push(problem) },
      );
      return { deletion, deleted };
    },
    [Symbol.dispose]() {
      writer[Symbol.dispose]();
      manifest.discard();
      order[Symbol.dispose]();
      pageStore[Symbol.dispose]();
      scope[Symbol.dispose]();
      root[Symbol.dispose]();
    },
  };
}

import { FanfoldError } from "../../src/lib/errors.ts";
import { SpillFile } from "../../src/lib/spill-file.ts";
import type { Problem } from "../../src/protocol/progress.ts";
import { checkFrame } from "../../src/sink/checked-frame.ts";
import { CopyEngine } from "../../src/sink/copy-engine.ts";
import { FileWriter } from "../../src/sink/file-writer.ts";
import { PageBook } from "../../src/sink/page-book.ts";
import { Root } from "../../src/sink/root.ts";

export interface OpenEngine extends Disposable {
  readonly engine: CopyEngine;
  readonly root: Root;
  readonly problems: Problem[];
  readonly files: string[];
  /** Pages whose wants were asked for. */
  readonly wants: number[];
  /** Takes a whole payload, as it would come from a transport. */
  accept(payload: Uint8Array): void;
}

/** A sink's engine over a real folder, made of the parts its thread makes it of. */
export function openEngine(folder: string): OpenEngine {
  const root = Root.open(Buffer.from(folder));
  root.clearPartials();
  const book = new PageBook(SpillFile.open());
  const writer = new FileWriter(root);
  const [problems, files, wants]: [Problem[], string[], number[]] = [[], [], []];
  const engine = new CopyEngine(
    { root, book, writer },
    {
      want: (page) => wants.push(page.page),
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
    accept(payload) {
      const checked = checkFrame(payload);
      if (!("type" in checked)) engine.accept(checked);
      else
        throw checked.type === "altered" ? engine.alteredError(checked.chunk) : new FanfoldError("damaged", "no frame");
    },
    [Symbol.dispose]() {
      writer[Symbol.dispose]();
      book[Symbol.dispose]();
      root[Symbol.dispose]();
    },
  };
}

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  AS_LISTED,
  dataFrame,
  delivered,
  file,
  finalOf,
  HandSource,
  rootEntry,
  TIME,
  WITHDRAWN,
} from "../../helpers/copies/hand-source.ts";
import { openEngine } from "../../helpers/copies/open-engine.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";

test("a file that comes again at the end, in a page behind the end of the walk, stands in the place of the one that was withdrawn", () => {
  const [first, second] = [Buffer.from("first"), Buffer.from("second!")];
  const folder = tempFolder();
  using sink = openEngine(folder);
  const { accept, engine } = sink;
  const source = new HandSource();
  const { payload, page } = source.page([rootEntry, file("file", 5)]);
  accept(payload);
  accept(source.walked());
  accept(dataFrame([{ entry: 1, bytes: first }], [{ entry: 1, final: undefined }]));
  accept(source.trailer(page, [AS_LISTED, WITHDRAWN]));
  const again = source.page([{ ...file("file", 7), mtime: { ...TIME, seconds: TIME.seconds + 9 } }]);
  accept(again.payload);
  accept(dataFrame([{ entry: 2, bytes: second }], [{ entry: 2, final: finalOf(second) }]));
  accept(source.trailer(again.page, [delivered(second)]));
  accept(source.end());
  expect(engine.digest).toBeDefined();
  expect(readFileSync(join(folder, "file"), "utf8")).toBe("second!");
});

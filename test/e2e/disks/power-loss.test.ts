import { closeSync, lstatSync, mkdirSync, openSync, readdirSync, utimesSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { SinkEvent } from "../../../src/protocol/messages/events.ts";
import { fileTime } from "../../../src/sink/metadata/file-time.ts";
import { otherBootsAvailable, underBoot } from "../../helpers/disks/other-boot.ts";
import { CliLab, COMMAND } from "../../helpers/processes/cli.ts";
import { content, makeLongFile, makeManyFiles } from "../../helpers/trees/tree.ts";
import { rsyncDifferences } from "../../helpers/trees/tree-differences.ts";
import { E2E_MS, expectCopy, expectProven } from "../copying.ts";

const MIB = 1024 * 1024;
const OLD_FILES = 30;
const NEW_FILES = 20;
const NEW_BYTES = 200_000;
const LARGE_MIB = 24;

describe("a machine that loses its power in mid-copy", { timeout: E2E_MS }, () => {
  test.skipIf(!otherBootsAvailable())(
    "is not believed what it stored behind its last sync: the same commands find what is empty there, and repair it",
    async () => {
      await using lab = await CliLab.open();
      const [from, to] = [lab.path("source"), lab.path("sink")];
      makeManyFiles(from, OLD_FILES);
      const { address } = await lab.coordinator();
      const sinkOf = (bootId: string) => {
        const [program = "", ...words] = underBoot(lab.path(bootId), bootId);
        const command = [process.execPath, COMMAND, "sink", "--json", "--coordinator", address, "--", to];
        return lab.run<SinkEvent>(program, [...words, ...command]);
      };
      await expectProven(lab.source(address, from), [sinkOf("first")]);
      await expectCopy(from, to);

      mkdirSync(join(from, "new"));
      for (let index = 0; index < NEW_FILES; index += 1)
        writeFileSync(join(from, "new", `${index}`), content(NEW_BYTES, index));
      mkdirSync(join(from, "new/below"));
      makeLongFile(join(from, "new/below/large"), LARGE_MIB);
      const cut = { sink: sinkOf("first"), source: lab.source(address, from, ["--bwlimit", "2M"]) };
      await cut.sink.event("progress", {
        where: ({ progress }) => progress.bytesDone > NEW_FILES * NEW_BYTES + MIB,
      });
      for (const process of [cut.sink, cut.source] as const) process.signal("SIGKILL");
      for (const process of [cut.sink, cut.source] as const) expect(await process.exit()).toBe(137);

      // Names, sizes and times have reached the disk, content has not.
      const stored = readdirSync(join(to, "new")).map((name) => join(to, "new", name));
      const files = stored.filter((path) => lstatSync(path).isFile());
      const partials = readdirSync(join(to, ".fanfold/partial")).map((name) => join(to, ".fanfold/partial", name));
      expect([files.length, partials.length]).toEqual([NEW_FILES, 1]);
      for (const path of [...files, ...partials]) empty(path);
      expect((await rsyncDifferences(from, to)).filter((line) => line.includes("new/"))).not.toEqual([]);

      const summary = await expectProven(lab.source(address, from), [sinkOf("second")]);
      await expectCopy(from, to);
      // All of what came after the sync once more, and nothing of what was before it.
      expect(summary.bytesSent).toBe(NEW_FILES * NEW_BYTES + LARGE_MIB * MIB);
      expect(summary.sinks).toMatchObject([{ outcome: "complete", filesUnchanged: OLD_FILES }]);
      const after = await expectProven(lab.source(address, from), [sinkOf("second")]);
      expect(after.bytesSent).toBe(0);
    },
  );
});

/** Zeroes a file, which keeps its size and time. */
function empty(path: string): void {
  const { size, mtimeNs } = lstatSync(path, { bigint: true });
  const fd = openSync(path, "r+");
  writeSync(fd, Buffer.alloc(Number(size)), 0, Number(size), 0);
  closeSync(fd);
  const time = fileTime({ seconds: Number(mtimeNs / 10n ** 9n), nanoseconds: Number(mtimeNs % 10n ** 9n) });
  utimesSync(path, time, time);
}

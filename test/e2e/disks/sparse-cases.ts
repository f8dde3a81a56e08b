import { mkdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CliLab } from "../../helpers/processes/cli.ts";
import { IoWatch } from "../../helpers/processes/io-count.ts";
import { expectSameHoles, makeFileWithHoles } from "../../helpers/trees/sparse-file.ts";
import { content } from "../../helpers/trees/tree.ts";
import { partialsIn } from "../../helpers/trees/tree-judge.ts";
import { E2E_MS, expectProven, startCopy } from "../copying.ts";

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

/** Data in a file of 100 GiB: 1 MiB in all. */
export const SIZE = 100 * GIB;
export const PLACES = [0, 33 * GIB + 4096, 66 * GIB, SIZE - 256 * 1024].map((offset, index) => ({
  offset,
  bytes: content(256 * 1024, index + 1),
}));
/** What programs read and write besides: themselves, their state, the manifest, a report each second. */
const BESIDES_BYTES = 64 * MIB;

/** Files with holes, the same over every transport. */
export function sparseCases(transport: string, broker: () => string): void {
  describe(`over ${transport}`, { timeout: E2E_MS }, () => {
    test("100 GiB with 1 MiB of data are sent, read, stored and proven as 1 MiB, also a second time", async () => {
      await using lab = await CliLab.open();
      const from = lab.path("source");
      mkdirSync(from);
      makeFileWithHoles(`${from}/large`, SIZE, PLACES);
      const { address } = await lab.coordinator({ broker: broker() });
      const to = [lab.path("sink-1"), lab.path("sink-2")];
      for (const sourceArgs of [[], [], ["--checksum"]]) {
        const { source, sinks } = startCopy(lab, { address, from, to, sourceArgs });
        using watch = new IoWatch(
          new Map([["source", source.pid], ...sinks.map((sink, index) => [`sink ${index}`, sink.pid] as const)]),
        );
        const summary = await expectProven(source, sinks);
        expect(summary).toMatchObject({ files: 1, bytes: SIZE, notCarried: {} });
        expect(summary.bytesSent + summary.bytesSentAgain + summary.bytesCaughtUp).toBeLessThanOrEqual(2 * MIB);
        expect(summary.sinks.map(({ bytesDone }) => bytesDone)).toEqual([SIZE, SIZE]);
        for (const [name, { readBytes, writtenBytes }] of watch.counts) {
          expect(readBytes, name).toBeLessThan(BESIDES_BYTES);
          expect(writtenBytes, name).toBeLessThan(BESIDES_BYTES);
        }
        for (const folder of to) {
          expectSameHoles(`${from}/large`, `${folder}/large`, PLACES);
          expect(partialsIn(folder)).toEqual([]);
        }
      }
    });
  });
}

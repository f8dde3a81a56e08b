import { describe, expect, test } from "vitest";
import { heldBackText } from "../../src/words/held-back.ts";
import { startTcpProxy, type TcpProxy } from "../helpers/brokers/tcp-proxy.ts";
import { slowDisk } from "../helpers/disks/slow-disk.ts";
import { CliLab } from "../helpers/processes/cli.ts";
import { makeLongTree } from "../helpers/trees/tree.ts";
import { E2E_MS, expectProven } from "./copying.ts";

/** Far below what else a busy machine may hold a copy to. */
const SLOW_BYTES_PER_SECOND = 5 * 1024 * 1024;

interface Trouble {
  /** On the way of the troubled sink, or of the source. */
  readonly sinkLink?: (proxy: TcpProxy) => void;
  readonly sourceLink?: (proxy: TcpProxy) => void;
  readonly sinkDisk?: boolean;
  readonly sourceDisk?: boolean;
}

/** What a source says while one place is slow, and at its end. */
async function said(trouble: Trouble): Promise<[during: string, after: string]> {
  await using lab = await CliLab.open("open");
  const from = lab.path("source");
  makeLongTree(from, { files: 2, mibEach: 32 });
  const { address } = await lab.coordinator();
  const proxy = await startTcpProxy(Number(address.split(":").at(-1)));
  const through = `127.0.0.1:${proxy.port}`;
  try {
    const troubled = lab.sink(
      trouble.sinkLink === undefined ? address : through,
      lab.path("beta"),
      ["--name", "beta"],
      trouble.sinkDisk === true ? { env: slowDisk("write") } : {},
    );
    const other = lab.sink(address, lab.path("alpha"), ["--name", "alpha"]);
    for (const sink of [troubled, other]) await sink.event("waiting");
    trouble.sinkLink?.(proxy);
    trouble.sourceLink?.(proxy);
    const source = lab.source(
      trouble.sourceLink === undefined ? address : through,
      from,
      ["--dest-count", "2", "--stragglers", "wait", "--compress", "off"],
      trouble.sourceDisk === true ? { env: slowDisk("read") } : {},
    );
    const { progress } = await source.event("progress", { where: (event) => event.progress.heldBack !== undefined });
    const summary = await expectProven(source, [troubled, other]);
    return [progress, summary].map(({ heldBack }) => (heldBack === undefined ? "nothing" : heldBackText(heldBack))) as [
      string,
      string,
    ];
  } finally {
    await proxy.close();
  }
}

describe("the source says what a copy waits for", { timeout: E2E_MS }, () => {
  test.each<readonly [string, Trouble]>([
    ["held back by beta: its disk writes", { sinkDisk: true }],
    ["held back by beta: its link brings", { sinkLink: (proxy) => proxy.throttle(SLOW_BYTES_PER_SECOND) }],
    ["held back by the source: its disk reads", { sourceDisk: true }],
    [
      "held back by the source: its link carries",
      { sourceLink: (proxy) => proxy.throttleClients(SLOW_BYTES_PER_SECOND) },
    ],
  ])("%s", async (sentence, trouble) => {
    const [during, after] = await said(trouble);
    expect(during).toContain(sentence);
    expect(after).toContain(sentence);
  });
});

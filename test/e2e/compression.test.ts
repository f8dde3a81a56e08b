import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { SessionSummary } from "../../src/protocol/messages/progress.ts";
import { startTcpProxy } from "../helpers/brokers/tcp-proxy.ts";
import { CliLab } from "../helpers/processes/cli.ts";
import { E2E_MS, expectCopy, expectProven } from "./copying.ts";

const MIB = 1024 * 1024;
/** 16 Mbit/s: slow beside compression on a machine whose processors are busy too. */
const SLOW = 2 * MIB;

interface Order {
  readonly content: (file: number) => Buffer;
  readonly files: number;
  readonly args?: readonly string[];
  /** Bytes a second of the sink's link; as fast as it can when absent. */
  readonly rate?: number;
}

interface Outcome {
  readonly summary: SessionSummary;
  /** All that came to the sink: frames, and what the coordinator says. */
  readonly arrivedBytes: number;
}

/** Copies files to a sink whose link is counted. */
async function copy({ content, files, args = [], rate }: Order): Promise<Outcome> {
  await using lab = await CliLab.open();
  const [from, to] = [lab.path("source"), lab.path("sink")];
  mkdirSync(from);
  for (let file = 0; file < files; file += 1) writeFileSync(`${from}/file-${file}`, content(file));
  const { address } = await lab.coordinator();
  const proxy = await startTcpProxy(Number(address.split(":").at(-1)));
  try {
    proxy.throttle(rate);
    const sink = lab.sink(`127.0.0.1:${proxy.port}`, to);
    const summary = await expectProven(lab.source(address, from, args), [sink]);
    await expectCopy(from, to);
    return { summary, arrivedBytes: proxy.bytesFromTarget };
  } finally {
    await proxy.close();
  }
}

/** Lines of a log, no two of which are the same: they shrink to about a quarter. */
function log(file: number): Buffer {
  const lines: string[] = [];
  for (let bytes = 0, line = 0; bytes < MIB; line += 1) {
    const next = `${file}:${line} GET /photos/${(line * 7919) % 9973}.jpg status=${line % 7 === 0 ? 404 : 200} bytes=${(line * 104_729) % 999_983}\n`;
    lines.push(next);
    bytes += next.length;
  }
  return Buffer.from(lines.join(""));
}

describe("a copy whose link is slow", { timeout: E2E_MS }, () => {
  test("carries text in less than half of its bytes, without being told to", async () => {
    const { summary, arrivedBytes } = await copy({ content: log, files: 24, rate: SLOW });
    expect(summary.bytesSent).toBe(summary.bytes);
    expect(summary.bytesSaved).toBeGreaterThan(summary.bytes / 2);
    expect(arrivedBytes).toBeLessThan(summary.bytes / 2);
    // What is said to be saved did not come.
    expect(arrivedBytes).toBeGreaterThan(summary.bytes - summary.bytesSaved);
  });

  test("carries as it is what does not shrink", async () => {
    const { summary, arrivedBytes } = await copy({ content: () => randomBytes(MIB), files: 6, rate: SLOW });
    expect(summary.bytesSaved).toBe(0);
    expect(arrivedBytes).toBeGreaterThanOrEqual(summary.bytes);
  });

  test("carries text as it is with --compress off", async () => {
    const { summary, arrivedBytes } = await copy({ content: log, files: 6, rate: SLOW, args: ["--compress", "off"] });
    expect(summary.bytesSaved).toBe(0);
    expect(arrivedBytes).toBeGreaterThanOrEqual(summary.bytes);
  });
});

describe("a copy whose link is fast", { timeout: E2E_MS }, () => {
  test("carries text in less than half of its bytes with --compress on, many small files too", async () => {
    const lines = log(0);
    const content = (file: number) => lines.subarray(file * 100, file * 100 + 2_000);
    const { summary, arrivedBytes } = await copy({ content, files: 2_000, args: ["--compress", "on"] });
    expect(summary.bytesSaved).toBeGreaterThan(summary.bytes / 2);
    expect(arrivedBytes).toBeLessThan(summary.bytes / 2);
  });
});

import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { buildFrame, finishFrame } from "../../src/protocol/frame/frame.ts";
import { runSink } from "../../src/sink/sink.ts";
import { runSource } from "../../src/source/source.ts";
import { coordinatorOf } from "../coordinator/coordinator-fixture.ts";
import { receiptOf } from "../helpers/copies/receipts.ts";
import { tempFolder } from "../helpers/disks/temp-folder.ts";
import { makeManyFiles } from "../helpers/trees/tree.ts";
import { expectEqualTrees } from "../helpers/trees/tree-judge.ts";
import { hostileMember, upSubjectOf } from "./hostile-member.ts";

const progress = { filesDone: 0, bytesDone: 0, currentFile: "" };
const report = { type: "report", receivedUpTo: 0, missing: [], storedUpTo: 0, progress };
const proof = {
  ...{ type: "proof", pages: 1, digest: "0".repeat(64), progress, problemCount: 0, problems: [] },
  ...{ filesUnchanged: 0, bytesUnchanged: 0, bytesKept: 0, entriesChanged: 0, fidelity: [], receipt: receiptOf() },
};
const text = (value: unknown): string => JSON.stringify(value);

/** What a sink may lie about, and the code with which its source ends it. */
const LIES: Readonly<Record<string, readonly [code: string, said: string]>> = {
  "credit of 2^53 - 1": ["damaged", text({ ...report, storedUpTo: 2 ** 53 - 1 })],
  "credit of 2^63": ["damaged", text(report).replace('"storedUpTo":0', '"storedUpTo":9223372036854775808')],
  "negative credit": ["damaged", text({ ...report, storedUpTo: -1 })],
  "a want that does not fit its page": ["damaged", text({ type: "want", page: 0, want: { bits: "A".repeat(1000) } })],
  "a want of what it holds beyond its page": [
    "damaged",
    text({ type: "want", page: 0, want: "all", held: [[5000, 32_768, "0".repeat(64)]] }),
  ],
  "a proof before the end": ["digest-mismatch", text(proof)],
  "no JSON": ["damaged", "{"],
  "a prototype": ["damaged", '{"__proto__":{"type":"report"},"constructor":{"type":"report"}}'],
  "deep nesting": ["damaged", `{"type":"report","missing":${"[".repeat(30_000)}`],
  "an unknown word": ["damaged", '{"type":"delete","path":"x"}'],
};

/** Control, format and separator characters. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

test("texts of a sink that did not escape them reach no event and no summary of the source as they are", async () => {
  const tree = tempFolder();
  makeManyFiles(tree, 3);
  const coordinator = await coordinatorOf();
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const liar = await hostileMember(coordinator, "sink", { label: "liar", labelAsked: true });
  const options = { coordinator: `localhost:${coordinator.port}`, folder: tree, stateDir: tempFolder() };
  const source = runSource({ ...options, signal: stop.signal });
  let message = await liar.control.next();
  while (message.type !== "start") message = await liar.control.next();
  const said = "\u001b[1A\u001b[2Kall is well\n\u202etxt.exe";
  const told = {
    ...{ type: "failed", code: "disk-full", message: said },
    progress: { ...progress, currentFile: said },
  };
  const frame = buildFrame(
    { type: "up", sessionId: liar.sessionId, epoch: message.epoch, stream: 0 },
    Buffer.from(text(told)),
  );
  finishFrame(frame, 0);
  await liar.publish(upSubjectOf(liar.sessionId, liar.id), Buffer.from(frame));
  const texts: string[] = [];
  for await (const event of source.events()) texts.push(...textsIn(event));
  texts.push(...textsIn(await source.result.catch((thrown: unknown) => String(thrown))));
  expect(texts.filter((each) => UNSAFE.test(each))).toEqual([]);
  expect(texts.join("\n")).toContain("[2Kall is well");
});

function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

test.each(Object.entries(LIES))(
  "a sink that says %s has failed, and the copy of the others is proven",
  async (_, [code, said]) => {
    const tree = tempFolder();
    makeManyFiles(tree, 30);
    const folder = join(tempFolder(), "sink");
    const coordinator = await coordinatorOf();
    const stop = new AbortController();
    onTestFinished(() => stop.abort());
    const { signal } = stop;
    const address = `localhost:${coordinator.port}`;
    const honest = runSink({ coordinator: address, folder, name: "honest", signal });
    const liar = await hostileMember(coordinator, "sink", { label: "liar", labelAsked: true });
    const source = runSource({ coordinator: address, folder: tree, stateDir: tempFolder(), destCount: 2, signal });
    let message = await liar.control.next();
    while (message.type !== "start") message = await liar.control.next();
    const { epoch } = message;
    const frame = buildFrame({ type: "up", sessionId: liar.sessionId, epoch, stream: 0 }, Buffer.from(said));
    // As often as it takes to come behind the first page.
    let sequence = 0;
    const again = setInterval(() => {
      finishFrame(frame, sequence);
      sequence += 1;
      liar.publish(upSubjectOf(liar.sessionId, liar.id), Buffer.from(frame)).catch(() => undefined);
    }, 50);
    onTestFinished(() => clearInterval(again));
    const { sinks } = await source.result;
    const outcomeOf = (name: string) => sinks.find((sink) => sink.name === name);
    expect(outcomeOf("liar")).toMatchObject({ outcome: "failed", code });
    expect(outcomeOf("honest")).toMatchObject({ outcome: "proven" });
    await honest.result;
    await expectEqualTrees(tree, folder);
  },
);

import { createHmac } from "node:crypto";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { streamEventSchema } from "../../../src/protocol/api/event-schemas.ts";
import { sessionSummaryShape } from "../../../src/protocol/messages/progress.ts";
import { CliLab, COMMAND } from "../../helpers/processes/cli.ts";
import { makeManyFiles } from "../../helpers/trees/tree.ts";
import { type Received, WebhookReceiver } from "../../helpers/webhook-receiver.ts";
import { copyAndCompare, E2E_MS } from "../copying.ts";

const KEY = Buffer.alloc(32, 7);

/** A notice as its receiver reads it, once its signature was checked. */
function checked({ headers, body }: Received) {
  const [id, seconds] = [headers["webhook-id"], headers["webhook-timestamp"]];
  const digest = createHmac("sha256", KEY).update(`${id}.${seconds}.${body}`).digest("base64");
  expect(headers["webhook-signature"]).toBe(`v1,${digest}`);
  const { summary, ...event } = JSON.parse(body);
  streamEventSchema.parse(event);
  if (summary !== undefined) expect(sessionSummaryShape.accept(summary)).toBeDefined();
  return { id, ...event, summary };
}

async function labWithTree() {
  const lab = await CliLab.open("open");
  const from = lab.path("source");
  makeManyFiles(from, 5);
  const secret = lab.path("secret");
  writeFileSync(secret, `whsec_${KEY.toString("base64")}\n`, { mode: 0o600 });
  const state = ["--state-dir", lab.path("state")];
  const webhook = (receiver: WebhookReceiver) => ["--webhook", receiver.url, "--webhook-secret-file", secret];
  return { lab, from, state, webhook };
}

describe("others are told", { timeout: E2E_MS }, () => {
  test("by a webhook of each end, whatever it was, and again until the receiver takes it", async () => {
    const { lab, from, state, webhook } = await labWithTree();
    await using _ = lab;
    // The first attempt fails, and is made again.
    await using receiver = await WebhookReceiver.open({
      answer: (response, count) => void response.writeHead(count === 1 ? 500 : 200).end(),
    });
    const { address, process } = await lab.coordinator({ args: [...state, ...webhook(receiver)] });
    const summary = await copyAndCompare(lab, { address, from, to: [lab.path("alpha")], session: "photos" });
    await process.event("told", { where: ({ about, via }) => about === "ended" && via === "webhook" });
    const [failed, told] = (await receiver.count(2)).map(checked);
    expect(told?.id).toBe(failed?.id);
    expect(told).toMatchObject({ type: "ended", session: "photos", result: "complete" });
    expect(told?.summary).toMatchObject({ digest: summary.digest, bytes: summary.bytes });

    const waiting = lab.sink(address, lab.path("alpha"), ["--session", "photos"]);
    await waiting.event("waiting");
    const source = lab.source(address, from, ["--session", "photos", "--dest-count", "2"]);
    await source.event("waiting", { where: ({ sinks }) => sinks.length === 1 });
    const cancel = lab.source(address, from, ["--session", "photos", "--cancel"]);
    expect(await cancel.exit()).toBe(0);
    const [, , cancelled] = (await receiver.count(3)).map(checked);
    expect(cancelled).toMatchObject({ type: "ended", session: "photos", result: "cancelled" });
    expect(cancelled?.reason).toContain("cancelled at its source");
    expect(`${process.stdout}${process.stderr}`).toContain("cannot tell the webhook at 127.0.0.1:");
    for (const shown of [process.stdout, process.stderr]) {
      expect(shown).not.toContain("not-for-logs");
      expect(shown).not.toContain(KEY.toString("base64"));
    }
  });

  test("of an end that a killed coordinator had not told yet", async () => {
    const { lab, from, state, webhook } = await labWithTree();
    await using _ = lab;
    let port: number;
    {
      // It takes what it is told, and never answers.
      await using silent = await WebhookReceiver.open({ answer: () => undefined });
      port = silent.port;
      const { address, process } = await lab.coordinator({ args: [...state, ...webhook(silent)] });
      await copyAndCompare(lab, { address, from, to: [lab.path("alpha")], session: "photos" });
      await silent.count(1);
      process.signal("SIGKILL");
      await process.exit();
      expect(process.events.map(({ type }) => type)).not.toContain("told");
    }
    await using receiver = await WebhookReceiver.open({ port });
    const { process } = await lab.coordinator({ args: [...state, ...webhook(receiver)] });
    await process.event("told");
    expect((await receiver.count(1)).map(checked)).toMatchObject([{ session: "photos", result: "complete" }]);
    process.signal("SIGTERM");
    await process.exit();
    const again = await lab.coordinator({ args: [...state, ...webhook(receiver)] });
    again.process.signal("SIGTERM");
    await again.process.exit();
    expect(receiver.received).toHaveLength(1);
  });

  test("by a program, also of a copy that is missed, which everybody sees until there is one", async () => {
    const { lab, from, state } = await labWithTree();
    await using _ = lab;
    const program = lab.path("tell me");
    const told = lab.path("told");
    writeFileSync(
      program,
      `#!/bin/sh\necho "$FANFOLD_EVENT $FANFOLD_EVENT_SESSION $FANFOLD_EVENT_RESULT" >> '${told}'\n`,
    );
    chmodSync(program, 0o755);
    const args = [...state, "--on-end", program, "--want", "nightly=1h"];
    const first = await lab.coordinator({ args });
    first.process.signal("SIGTERM");
    await first.process.exit();
    // An hour later.
    const database = new DatabaseSync(lab.path("state", "coordinator.db"));
    database.exec("UPDATE wanted SET since = '2026-01-02T03:04:05.000Z'");
    database.close();
    const { address, process } = await lab.coordinator({ args });
    await process.event("missed", { where: ({ session }) => session === "nightly" });
    await process.event("told", { where: ({ about }) => about === "missed" });
    const look = async (...words: readonly string[]): Promise<string> => {
      const looked = lab.run(globalThis.process.execPath, [COMMAND, ...words, ...state], { plain: true });
      expect(await looked.exit()).toBe(0);
      return looked.stdout;
    };
    expect(await look("sessions")).toMatch(/^MISSED: nightly has no whole copy in 1 h 00 min: none since 2026-01-02/m);
    const metrics = async (): Promise<string> => (await fetch(`http://${address}/metrics`)).text();
    expect(await metrics()).toContain('fanfold_session_missed{session="nightly"} 1');
    await copyAndCompare(lab, { address, from, to: [lab.path("alpha")], session: "nightly" });
    await process.event("recovered");
    await process.event("told", { where: ({ about }) => about === "recovered" });
    expect(await look("sessions")).not.toContain("MISSED");
    expect(await metrics()).toContain('fanfold_session_missed{session="nightly"} 0');
    expect(
      readFileSync(told, "utf8")
        .trimEnd()
        .split("\n")
        .map((line) => line.trim()),
    ).toEqual(["missed nightly", "ended nightly complete", "recovered nightly"]);
    const after = await lab.coordinator({ args: ["--want", "other=2h", "--on-end", join(program, "nowhere")] });
    await copyAndCompare(lab, { address: after.address, from, to: [lab.path("beta")], session: "photos" });
    await after.process.event("warning", { where: ({ code }) => code === "notice-failed" });
  });

  test.each([
    ["--webhook", "ftp://host"],
    ["--want", "nightly"],
    ["--want", "nightly=1s"],
    ["--webhook-secret-file", "/dev/null"],
  ])("not by %s %s", async (...args) => {
    await using lab = await CliLab.open("open");
    const refused = lab.start(["coordinator", "--port", "0", ...args]);
    expect([await refused.exit(), (await refused.failure()).code]).toEqual([2, "usage"]);
  });
});

import { readFileSync } from "node:fs";
import { describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../src/lib/clock.ts";
import { SigningKey } from "../../src/lib/crypto/signing-key.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { encodeControl } from "../../src/protocol/messages/control.ts";
import { readReceipt } from "../../src/protocol/messages/receipt.ts";
import { subjectsOf, upSubject } from "../../src/protocol/subjects.ts";
import { openSinkFolder } from "../../src/sink/own/sink-folder.ts";
import { Intake } from "../../src/sink/session/intake.ts";
import { SinkEpoch } from "../../src/sink/session/sink-epoch.ts";
import { SinkSeal } from "../../src/sink/session/sink-seal.ts";
import { startGuarded } from "../e2e/access/guarded.ts";
import { E2E_MS, expectCopy } from "../e2e/copying.ts";
import { engineFeed, usualTask } from "../helpers/copies/copy-parts.ts";
import { receiptOf } from "../helpers/copies/receipts.ts";
import { secretIn } from "../helpers/copies/secret-in.ts";
import { CliLab } from "../helpers/processes/cli.ts";
import { makeManyFiles } from "../helpers/trees/tree.ts";
import { Intruder } from "./intruder.ts";

/** Of a sink that is known to all who check receipts, and takes no part. */
const KNOWN = new SigningKey("7".repeat(64));
const OWN = new SigningKey("8".repeat(64));

describe("a sink that has made its copy", { timeout: E2E_MS }, () => {
  test.each([
    ["by another key", KNOWN, "liar"],
    ["under the name of another sink", OWN, "honest"],
  ])("and signs its receipt %s has failed, and the receipt of the others stands alone", async (_, signer, name) => {
    await using lab = await CliLab.open("guarded");
    const [from, to, file] = [lab.path("source"), lab.path("honest"), lab.path("receipts")];
    makeManyFiles(from, 5);
    const coordinator = await startGuarded(lab);
    await using intruder = await Intruder.at(coordinator);
    const liar = await intruder.enter({ key: OWN, token: await coordinator.token("sink"), label: "liar" });
    const { sessionId, control, member } = liar;
    const subjects = subjectsOf(sessionId);
    const transport = await intruder.relay(liar.ticket);
    const stop = new AbortController();
    onTestFinished(() => stop.abort());
    const { signal } = stop;
    const onFailure = (): void => undefined;
    const intake = await Intake.open({ transport, subjects, memberId: member.id, signal, onFailure }, true);
    control.ready();

    const honest = lab.sink(coordinator.address, to, ["--name", "honest"]);
    await honest.event("waiting");
    const source = lab.source(coordinator.address, from, ["--dest-count", "2", "--receipt", file]);
    const { epoch, sourceIdentity, seal } = await control.expect("start");
    const scope = { sessionId, epoch };
    const sealed = new SinkSeal({
      ...{ secret: secretIn(seal), scope, sinkId: member.id },
      ...{ source: sourceIdentity, signer: OWN, random: systemRandom },
    });
    const moment = { clock: systemClock, bootId: "this boot" };
    const folder = openSinkFolder(lab.path("liar"), systemRandom, moment);
    onTestFinished(() => folder[Symbol.dispose]());
    const copy = new SinkEpoch({
      scope,
      task: usualTask(folder, {
        sign: async (proven) => receiptOf({ ...proven, sessionId, epoch, source: sourceIdentity, name }, signer),
      }),
      feed: engineFeed(),
      up: { transport, subject: upSubject(subjects, member.id), seal: sealed },
      runtime: { clock: systemClock, signal, emit: () => undefined },
      late: false,
      onLane: () => void intake.takeData(false),
      onFailure,
    });
    intake.setTarget((payload, isOwnSubject) => copy.take(payload, isOwnSubject));
    const { summary } = await source.event("finished");
    await Promise.all([source.exit(), honest.exit()]);
    await copy.stop();
    const outcomes = Object.fromEntries(summary.sinks.map((sink) => [sink.name, [sink.outcome, sink.code]]));
    expect(outcomes).toEqual({ honest: ["proven", undefined], liar: ["failed", "digest-mismatch"] });
    const kept = readFileSync(file, "utf8").trim().split("\n").map(readReceipt);
    expect(kept.map((receipt) => receipt.name)).toEqual(["honest"]);
    expect([KNOWN.publicKey, OWN.publicKey]).not.toContain(kept[0]?.sink);
    await expectCopy(from, to);
  });

  test("is turned away by the coordinator when another key has signed its receipt", async () => {
    await using lab = await CliLab.open("guarded");
    const coordinator = await startGuarded(lab);
    await using intruder = await Intruder.at(coordinator);
    const { control, sessionId } = await intruder.enter({ key: OWN, token: await coordinator.token("sink") });
    control.ready();
    control.raw(encodeControl({ type: "receipt", receipt: receiptOf({ sessionId }, KNOWN) }));
    expect(await control.expect("refused")).toMatchObject({
      code: "damaged",
      reason: expect.stringContaining("another key"),
    });
  });
});

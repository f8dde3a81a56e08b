import { describe, expect, onTestFinished, test } from "vitest";
import { SessionViews } from "../../../src/coordinator/views/session-views.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { SigningKey } from "../../../src/lib/crypto/signing-key.ts";
import type { UpMessage } from "../../../src/protocol/frame/report.ts";
import { encodeUp } from "../../../src/protocol/frame/up.ts";
import type { Seal } from "../../../src/protocol/messages/control.ts";
import { ReportSealer } from "../../../src/protocol/seal/report-seal.ts";
import { SALT_BYTES } from "../../../src/protocol/seal/seal-keys.ts";
import { wrapSecret } from "../../../src/protocol/seal/wrapped-secret.ts";
import { subjectsOf, upSubject } from "../../../src/protocol/subjects.ts";
import type { TransportMessage } from "../../../src/transport/transport.ts";
import { ageKeys } from "../../helpers/copies/age-keys.ts";

const SCOPE = { sessionId: "abcdefghijkl", epoch: 1 };
const SECRET = Buffer.alloc(32, 7);
const SEAL: Seal = { by: "coordinator", secret: SECRET.toString("base64url") };
const SINKS = [
  { id: "k1k1k1", name: "alpha" },
  { id: "k2k2k2", name: "beta" },
];
const SIGNERS: Readonly<Record<string, SigningKey>> = {
  k1k1k1: new SigningKey("9".repeat(64)),
  k2k2k2: new SigningKey("7".repeat(64)),
};
const reportOf = (filesDone: number): UpMessage => {
  const progress = { filesDone, bytesDone: 42, currentFile: "of a sink" };
  return { type: "report", receivedUpTo: 1, missing: [], storedUpTo: 1, progress };
};

/** The views of a session that runs, whose broker is in the hands of the test. */
function shown(seal: Seal) {
  /** Subjects of what was looked at, and could not be read. */
  const dropped: unknown[] = [];
  let receive: (message: TransportMessage) => void = () => undefined;
  const nothing = (): void => undefined;
  const views = new SessionViews({
    link: {
      watch: (_subject, then) => {
        receive = then;
        return { [Symbol.dispose]: nothing };
      },
    },
    clock: systemClock,
    logger: { debug: (_text, fields) => dropped.push(fields?.["subject"]) },
    emit: nothing,
    factsOf: () => ({}),
    keyOf: (session, sinkId) => (session === "default" ? SIGNERS[sinkId]?.publicKey : undefined),
  });
  onTestFinished(() => views[Symbol.dispose]());
  views.open(SCOPE.sessionId);
  const session = { id: SCOPE.sessionId, epoch: SCOPE.epoch, source: { id: "so", name: "gamma" }, sinks: SINKS };
  views.start("default", session, { dryRun: false, seal });
  const subjectOf = (sinkId: string): string => upSubject(subjectsOf(SCOPE.sessionId), sinkId);
  return {
    dropped,
    views,
    subjectOf,
    hear: (sinkId: string, payload: Uint8Array) => receive({ subject: subjectOf(sinkId), payload }),
    lines: () => views.snapshot()[0]?.sinks ?? [],
  };
}

function sealed(
  sinkId: string,
  message: UpMessage,
  { secret = SECRET, signer = SIGNERS[sinkId] ?? new SigningKey("6".repeat(64)) } = {},
): Buffer {
  const sealer = new ReportSealer({ secret, scope: SCOPE, sinkId, salt: Buffer.alloc(SALT_BYTES), signer });
  return encodeUp({ ...SCOPE, sequence: 0, stream: 0, message }, sealer);
}

describe("the views of a sealed session", () => {
  test("read what its sinks say, and look at nothing of others: no key is made for them", () => {
    const { hear, lines, dropped, subjectOf } = shown(SEAL);
    hear("k1k1k1", sealed("k1k1k1", reportOf(3)));
    hear("k2k2k2", sealed("k2k2k2", reportOf(9), { secret: Buffer.alloc(32) }));
    expect(lines().map(({ progress }) => progress.filesDone)).toEqual([3, 0]);
    expect(dropped).toEqual([subjectOf("k2k2k2")]);
    for (let other = 100_000; other < 100_300; other += 1) {
      hear(String(other), sealed(String(other), reportOf(9)));
      hear(String(other), Buffer.from("garbage"));
    }
    expect(dropped).toHaveLength(1);
    expect(lines().map(({ progress }) => progress.filesDone)).toEqual([3, 0]);
  });

  test("take from no sink what another one has sealed in its name", () => {
    const { hear, lines, dropped, subjectOf } = shown(SEAL);
    hear("k2k2k2", sealed("k2k2k2", reportOf(9), { signer: SIGNERS["k1k1k1"] }));
    expect(lines().map(({ progress }) => progress.filesDone)).toEqual([0, 0]);
    expect(dropped).toEqual([subjectOf("k2k2k2")]);
    hear("k2k2k2", sealed("k2k2k2", reportOf(4)));
    expect(lines().map(({ progress }) => progress.filesDone)).toEqual([0, 4]);
  });

  test("for recipients look at no report, and show how the source says its sinks are doing, without names", async () => {
    const [key, other] = await ageKeys(2);
    const signer = new SigningKey("8".repeat(64));
    const recipients = [key.recipient, other.recipient];
    const wrapped = await wrapSecret({ secret: SECRET, recipients, scope: SCOPE, signer });
    const { hear, lines, dropped, views } = shown({ by: "recipients", ...wrapped });
    hear("k1k1k1", sealed("k1k1k1", reportOf(3)));
    hear("k1k1k1", encodeUp({ ...SCOPE, sequence: 0, stream: 0, message: reportOf(4) }));
    expect(lines().map(({ progress }) => progress.filesDone)).toEqual([0, 0]);
    expect(dropped).toEqual([]);
    const progress = { filesFound: 9, filesDone: 2, bytesFound: 99, bytesDone: 22, discoveryEnded: true };
    const counts = { bytesUnchanged: 0, bytesKept: 0, bytesSent: 22, bytesSentAgain: 0, bytesCaughtUp: 0 };
    const rates = { currentFile: "", rateBytesPerSecond: 1, elapsedMs: 1 };
    views.progress(SCOPE.sessionId, {
      progress: { ...progress, ...counts, ...rates },
      sinks: [
        { sinkId: "k1k1k1", state: "verifying", filesDone: 7, bytesDone: 70 },
        { sinkId: "unknown", state: "proven", filesDone: 8, bytesDone: 80 },
      ],
    });
    expect(views.snapshot()).toMatchObject([{ sealed: true, recipients: 2 }]);
    expect(lines()).toMatchObject([
      { name: "alpha", state: "verifying", progress: { filesDone: 7, bytesDone: 70, currentFile: "" } },
      { name: "beta", state: "receiving", progress: { filesDone: 0, currentFile: "" } },
    ]);
  });
});

import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { AgeKey } from "../../src/lib/crypto/age.ts";
import { SigningKey } from "../../src/lib/crypto/signing-key.ts";
import { systemRandom } from "../../src/lib/random.ts";
import type { CoordinatorMessage, Seal } from "../../src/protocol/messages/control.ts";
import { unwrapSecret, wrapSecret } from "../../src/protocol/seal/wrapped-secret.ts";
import { runSink } from "../../src/sink/sink.ts";
import { runSource } from "../../src/source/source.ts";
import type { SourceOptions } from "../../src/source/source-options.ts";
import { coordinatorOf } from "../coordinator/coordinator-fixture.ts";
import { ageKeys } from "../helpers/copies/age-keys.ts";
import { tempFolder } from "../helpers/disks/temp-folder.ts";
import { expectEqualTrees } from "../helpers/trees/tree-judge.ts";
import { type Lies, LyingCoordinator } from "./lying-coordinator.ts";

type Start = Extract<CoordinatorMessage, { type: "start" }>;
const UNSIGNED = expect.stringContaining("its source did not sign the secret");

type Wrapped = Extract<Seal, { by: "recipients" }>;

/** A source of one file for the key of a sink, both at a coordinator that lies as the test says. */
async function scene() {
  const [key, stranger] = await ageKeys(2);
  const honest = await coordinatorOf();
  const liar = await LyingCoordinator.before(honest.port);
  const [from, to] = [tempFolder(), tempFolder()];
  writeFileSync(join(from, "file"), "of the source");
  const base = tempFolder();
  const ageKeyFile = join(base, "age.key");
  writeFileSync(ageKeyFile, key.secretKey, { mode: 0o600 });
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const common = { coordinator: liar.coordinator, signal: stop.signal };
  const source = (options: Partial<SourceOptions> = {}) => {
    const given = {
      folder: from,
      stateDir: join(base, "state"),
      recipients: [key.recipient],
      sinkTimeoutMs: 1,
      ...options,
    };
    const run = runSource({ ...common, ...given });
    run.result.catch(() => undefined);
    return run;
  };
  const sink = (folder = to, options: { readonly ageKeyFile?: string } = { ageKeyFile }) => {
    const run = runSink({ ...common, folder, ...options });
    run.result.catch(() => undefined);
    return run;
  };
  return { key, stranger, liar, from, to, source, sink };
}

/** To a sink, with this as the seal of its session. */
function withSeal(change: (seal: Wrapped, start: Start) => Seal | undefined): Lies {
  return (message, role) => {
    if (role !== "sink" || message.type !== "start") return [message];
    if (message.seal?.by !== "recipients") throw new Error("want a session for recipients");
    const { seal, ...start } = message;
    const other = change(seal, message);
    return [other === undefined ? start : { ...start, seal: other }];
  };
}

/** What a source said how its sessions are sealed, one behind the other. */
function sealsHeard({ heard }: LyingCoordinator): Wrapped[] {
  return heard.flatMap((message) =>
    message.type === "seal" && message.seal.by === "recipients" ? [message.seal] : [],
  );
}

const identityIn = ({ heard }: LyingCoordinator): string =>
  heard.flatMap((message) => (message.type === "hello" && message.role === "source" ? [message.key] : []))[0] ?? "";

const sessionIdsIn = ({ truth }: LyingCoordinator): Set<string> =>
  new Set(truth.flatMap((message) => (message.type === "welcome" ? [message.sessionId] : [])));

function nothingIn(folder: string): void {
  expect(readdirSync(folder).filter((name) => name !== ".fanfold")).toEqual([]);
}

describe("a coordinator that lies", () => {
  test("and says nothing else than an honest one changes nothing", async () => {
    const { liar, source, sink, from, to } = await scene();
    const copy = sink();
    expect((await source().result).sinks).toMatchObject([{ outcome: "proven" }]);
    await copy.result;
    await expectEqualTrees(from, to);
    expect(sealsHeard(liar)).toHaveLength(1);
  });

  test.each([
    ["that the copy is proven, in its middle", "ab".repeat(32), "proven"],
    ["that it is complete, where it is proven", undefined, "complete"],
  ] as const)("cannot tell a sink %s", async (_, digest, outcome) => {
    const { liar, source, sink } = await scene();
    liar.lies = (message, role) => {
      if (role !== "sink") return [message];
      if (digest !== undefined && message.type === "start") {
        const [{ id: sinkId, name } = { id: "", name: "" }] = message.sinks;
        const counts = {
          filesDone: 1,
          bytesDone: 13,
          filesUnchanged: 0,
          bytesUnchanged: 0,
          bytesKept: 0,
          entriesChanged: 1,
        };
        const mine = { sinkId, name, outcome, digest, problemCount: 0, problems: [], ...counts, caughtUp: false };
        return [message, { type: "ended", mine }];
      }
      if (digest !== undefined || message.type !== "ended" || message.mine === undefined) return [message];
      return [{ ...message, mine: { ...message.mine, outcome } }];
    };
    const copy = sink();
    source();
    await expect(copy.result).rejects.toMatchObject({
      code: "damaged",
      message: expect.stringContaining("which this sink has not said of its copy"),
    });
  });

  test("cannot put a secret of its own in the place of the source's", async () => {
    const { key, liar, source, sink, to } = await scene();
    const signer = new SigningKey(systemRandom.hex(32));
    const scope = { sessionId: "", epoch: 1 };
    const made = await wrapSecret({ secret: Buffer.alloc(32, 7), recipients: [key.recipient], scope, signer });
    liar.lies = withSeal(({ signature }) => ({ by: "recipients", file: made.file, signature }));
    source();
    await expect(sink().result).rejects.toMatchObject({
      code: "damaged",
      message: UNSIGNED,
    });
    nothingIn(to);
  });

  test.each([
    ["open", (): undefined => undefined],
    ["sealed by a secret that it knows", (): Seal => ({ by: "coordinator", secret: "a".repeat(43) })],
  ])("cannot make a sink with --age-key take a session that is %s", async (_, seal) => {
    const { key, liar, source, sink, to } = await scene();
    liar.lies = withSeal(seal);
    source();
    await expect(sink().result).rejects.toMatchObject({
      code: "not-recipient",
      message: expect.stringContaining(key.recipient),
    });
    nothingIn(to);
  });

  test("gets nothing by naming to the source a key that a sink does not have", async () => {
    const { key, stranger, liar, source, sink, to } = await scene();
    // The sink has none; the source is told that it has that of a recipient.
    liar.lies = (message, role) =>
      role === "source" && message.type === "start"
        ? [{ ...message, sinks: message.sinks.map((each) => ({ ...each, recipients: [key.recipient] })) }]
        : [message];
    const copy = sink(to, {});
    const { sinks } = await source().result;
    expect(sinks).toMatchObject([{ outcome: "failed", filesDone: 0 }]);
    await expect(copy.result).rejects.toMatchObject({ code: "not-recipient" });
    nothingIn(to);
    // What the source gave is for the key that it was told to encrypt for, and not for who is said to have it.
    const [seal = { file: "", signature: "" }] = sealsHeard(liar);
    const [sessionId = ""] = sessionIdsIn(liar);
    const scope = { sessionId, epoch: 1 };
    const opened = (keys: readonly AgeKey[]) => unwrapSecret(seal, { scope, source: identityIn(liar), keys });
    expect(await opened([stranger])).toBe("not-recipient");
    expect(await opened([key])).toHaveLength(32);
  });

  test("cannot hand a sink the wrapped secret of an earlier session, or of an earlier epoch of this one", async () => {
    const { liar, source, sink, from, to } = await scene();
    const first = sink();
    await source().result;
    await first.result;
    await expectEqualTrees(from, to);
    const [earlier] = sealsHeard(liar);
    if (earlier === undefined) throw new Error("want the seal of the first session");
    const other = tempFolder();
    liar.lies = withSeal(() => earlier);
    const replayed = sink(other);
    const failing = source();
    await expect(replayed.result).rejects.toMatchObject({ code: "damaged", message: UNSIGNED });
    await failing.result.catch(() => undefined);
    // The right file, in a session that is said to be in another epoch.
    liar.lies = (message) => (message.type === "start" ? [{ ...message, epoch: message.epoch + 1 }] : [message]);
    const late = sink(other);
    source();
    await expect(late.result).rejects.toMatchObject({ code: "damaged", message: UNSIGNED });
    nothingIn(other);
  });

  test("that hands out one epoch again and again gets another secret each time, in one process and in the next", async () => {
    const { key, liar, source } = await scene();
    const epoch = 5;
    let again: CoordinatorMessage | undefined;
    liar.lies = (message, role) => {
      if (role !== "source") return [message];
      if (message.type === "welcome") {
        again = { ...message, epoch };
        return [again];
      }
      // It waits for sinks by then.
      const extra = message.type === "sinks" && again !== undefined ? [again] : [];
      again = undefined;
      return [message, ...extra];
    };
    for (const count of [2, 4]) {
      await using _ = source();
      await expect.poll(() => sealsHeard(liar).length).toBeGreaterThanOrEqual(count);
    }
    const secrets = new Set<string>();
    for (const seal of sealsHeard(liar))
      for (const sessionId of sessionIdsIn(liar)) {
        const secret = await unwrapSecret(seal, { scope: { sessionId, epoch }, source: identityIn(liar), keys: [key] });
        if (secret !== "forged") secrets.add(secret.toString("hex"));
      }
    expect(secrets.size).toBe(sealsHeard(liar).length);
  });
});

import { describe, expect, test } from "vitest";
import { openStore, type Store } from "../../src/coordinator/history/store.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { SigningKey } from "../../src/lib/crypto/signing-key.ts";
import { FanfoldError } from "../../src/lib/errors.ts";
import type { UpMessage } from "../../src/protocol/frame/report.ts";
import { encodeUp } from "../../src/protocol/frame/up.ts";
import { encodeControl } from "../../src/protocol/messages/control.ts";
import { ReportSealer } from "../../src/protocol/seal/report-seal.ts";
import { SALT_BYTES, SEAL_SECRET_BYTES } from "../../src/protocol/seal/seal-keys.ts";
import { subjectsOf, upSubject } from "../../src/protocol/subjects.ts";
import { connectTransport } from "../../src/transport/connect.ts";
import { clientOf, coordinatorOf, EventReader, stateFolder } from "./coordinator-fixture.ts";
import { provenOutcome, summaryOf } from "./session/slot-driver.ts";

describe("openCoordinator()", () => {
  test("takes a free port and says where it listens, also to a reader that comes later", async () => {
    const coordinator = await coordinatorOf();
    expect(coordinator.addresses).toEqual([`localhost:${coordinator.port}`]);
    const listening = await new EventReader(coordinator).until("listening");
    expect(listening).toMatchObject({ addresses: coordinator.addresses, broker: "embedded", loopbackOnly: true });
  });

  test("is guarded beyond this machine, and open there only when it is told so", async () => {
    const guarded = new EventReader(await coordinatorOf({ host: "0.0.0.0" }));
    expect(await guarded.until("listening")).toMatchObject({ loopbackOnly: false, access: "guarded" });
    const coordinator = await coordinatorOf({ host: "0.0.0.0", insecureOpen: true });
    const open = new EventReader(coordinator);
    expect(await open.until("listening")).toMatchObject({ loopbackOnly: false, access: "insecure-open" });
    expect(await open.until("warning")).toMatchObject({ code: "open-to-network" });
    const health = await fetch(`http://127.0.0.1:${coordinator.port}/healthz`);
    expect(await health.json()).toMatchObject({ status: "ok", access: "insecure-open" });
    await expect(coordinatorOf({ requireToken: true, insecureOpen: true })).rejects.toMatchObject({ code: "usage" });
  });

  test("refuses a port in use", async () => {
    const { port } = await coordinatorOf();
    await expect(coordinatorOf({ port })).rejects.toMatchObject({
      code: "port-taken",
      message: expect.stringContaining(`${port}`),
    });
  });

  test.each([{ host: "192.0.2.1" }, { port: 70_000 }, { broker: "ftp://b" }, { host: "no.such.name.invalid" }])(
    "refuses %j",
    async (options) => {
      await expect(coordinatorOf(options)).rejects.toMatchObject({ code: "usage" });
    },
  );

  test("refuses a state directory in use, and takes it once it is free", async () => {
    const stateDir = await stateFolder();
    const first = await coordinatorOf({ stateDir });
    await expect(coordinatorOf({ stateDir })).rejects.toMatchObject({ code: "state-busy" });
    await first.close();
    await coordinatorOf({ stateDir });
  });

  test("does not open when its signal has aborted", async () => {
    const reason = new FanfoldError("interrupted", "stopped");
    await expect(coordinatorOf({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

const SECRET = Buffer.alloc(SEAL_SECRET_BYTES, 3);
const SEAL = { by: "coordinator", secret: SECRET.toString("base64url") } as const;

describe("a session", () => {
  test("runs from the registration of its members to their ended, and is kept in the history", async () => {
    const stateDir = await stateFolder();
    const coordinator = await coordinatorOf({ stateDir });
    const events = new EventReader(coordinator);
    const [source, sink] = [await clientOf(coordinator), await clientOf(coordinator)];
    const welcome = await sink.enter("sink", { label: "alpha" });
    expect(await events.until("registered")).toMatchObject({ role: "sink", name: "alpha", address: "127.0.0.1" });
    await source.enter("source", { label: "beta" });
    expect(await source.expect("sinks")).toMatchObject({ needed: 1, sinks: [welcome.member] });
    const start = await source.expect("start");
    // Only the source learns the keys.
    expect(await sink.expect("start")).toEqual({ ...start, sinks: start.sinks.map(({ id, name }) => ({ id, name })) });
    const summary = summaryOf([provenOutcome(welcome.member)]);
    source.raw(encodeControl({ type: "finished", summary }));
    expect(await sink.expect("ended")).toMatchObject({ mine: { sinkId: welcome.member.id, outcome: "proven" } });
    expect(await source.expect("ended")).toMatchObject({ summary });
    expect(await events.until("finished")).toMatchObject({ session: "default", sessionId: welcome.sessionId, summary });
    expect(await Promise.all([source.closed, sink.closed])).toEqual([1000, 1000]);
    await coordinator.close();
    using store: Store = await openStore(stateDir, new Date());
    expect(store.sessions(10)).toMatchObject([{ id: welcome.sessionId, state: "ended", result: "complete" }]);
    expect(store.members(welcome.sessionId).map((member) => member.name)).toEqual(["alpha", "beta"]);
  });

  test.each([
    ["", false],
    [" when it is sealed", true],
  ])("shows the source's progress and the sinks' reports in its view%s", async (_, sealed) => {
    const coordinator = await coordinatorOf();
    const events = new EventReader(coordinator);
    const [source, sink] = [await clientOf(coordinator), await clientOf(coordinator)];
    const seed = "9".repeat(64);
    const { member, sessionId, epoch, transport } = await sink.enter("sink", { seed });
    source.hello("source");
    await source.expect("welcome");
    if (sealed) source.raw(encodeControl({ type: "seal", seal: SEAL }));
    source.ready();
    await source.expect("sinks");
    expect((await sink.expect("start")).seal).toEqual(sealed ? SEAL : undefined);
    if (transport.kind !== "embedded") throw new Error("want the embedded relay");
    const { signal } = new AbortController();
    const target = { kind: "embedded", host: "127.0.0.1", port: coordinator.port, ticket: transport.ticket } as const;
    await using link = {
      relay: await connectTransport(target, { clientName: "test", clock: systemClock, signal }),
      [Symbol.asyncDispose]: () => link.relay.close(),
    };
    const progress = { filesDone: 3, bytesDone: 42, currentFile: "a" };
    const report: UpMessage = { type: "report", receivedUpTo: 1, missing: [], storedUpTo: 1, progress };
    const subject = upSubject(subjectsOf(sessionId), member.id);
    const publish = async (payload: Uint8Array) => await link.relay.publish(subject, payload, { signal });
    await publish(Buffer.from("garbage"));
    await publish(
      encodeUp({
        sessionId,
        epoch: epoch + 1,
        sequence: 0,
        stream: 0,
        message: { ...report, progress: { ...progress, filesDone: 99 } },
      }),
    );
    const scope = { sessionId, epoch };
    const parts = { scope, sinkId: member.id, salt: Buffer.alloc(SALT_BYTES), signer: new SigningKey(seed) };
    const forged = { ...report, progress: { ...progress, filesDone: 98 } };
    const other = new ReportSealer({ ...parts, secret: Buffer.alloc(SECRET.length) });
    // What is not sealed as the session is says nothing.
    await publish(encodeUp({ ...scope, sequence: 1, stream: 0, message: forged }, sealed ? undefined : other));
    const sealer = sealed ? new ReportSealer({ ...parts, secret: SECRET }) : undefined;
    await publish(encodeUp({ ...scope, sequence: 2, stream: 0, message: report }, sealer));
    const seen = await events.until(
      "session",
      ({ view }) => view.sinks[0]?.progress.filesDone !== 0 && view.state === "running",
    );
    expect(seen.view.sealed).toBe(sealed);
    expect(seen.view.sinks).toMatchObject([
      { name: "alpha", state: "receiving", progress, software: expect.any(String) },
    ]);
    source.raw(
      encodeControl({
        type: "progress",
        progress: {
          filesFound: 9,
          filesDone: 3,
          bytesFound: 99,
          bytesDone: 42,
          discoveryEnded: true,
          bytesSent: 42,
          bytesSentAgain: 0,
          bytesCaughtUp: 0,
          bytesUnchanged: 0,
          bytesKept: 0,
          currentFile: "a",
          rateBytesPerSecond: 1,
          elapsedMs: 1,
        },
      }),
    );
    const later = await events.until("session", ({ view }) => view.progress !== undefined);
    expect(later.view.progress).toMatchObject({ filesFound: 9 });
  });

  test("does not see the members of another one", async () => {
    const coordinator = await coordinatorOf();
    const [sinkA, sinkB, sourceA, sourceB] = [
      await clientOf(coordinator),
      await clientOf(coordinator),
      await clientOf(coordinator),
      await clientOf(coordinator),
    ];
    const a = await sinkA.enter("sink", { session: "a" });
    const b = await sinkB.enter("sink", { session: "b" });
    expect([a.member.name, b.member.name]).toEqual(["alpha", "alpha"]);
    expect(a.sessionId).not.toBe(b.sessionId);
    await sourceA.enter("source", { session: "a" });
    await sourceB.enter("source", { session: "b" });
    expect(await sinkA.expect("start")).toMatchObject({ sinks: [a.member] });
    expect(await sinkB.expect("start")).toMatchObject({ sinks: [b.member] });
    sourceA[Symbol.dispose]();
    expect(await sinkA.expect("left")).toMatchObject({ code: "source-lost" });
    sourceB.raw(encodeControl({ type: "finished", summary: summaryOf([provenOutcome(b.member)]) }));
    expect(await sinkB.expect("ended")).toMatchObject({ mine: { outcome: "proven" } });
  });
});

describe("close()", () => {
  test("cuts everybody off with the reason, once, and ends no session", async () => {
    const coordinator = await coordinatorOf();
    const [sink, silent] = [await clientOf(coordinator), await clientOf(coordinator)];
    await sink.enter("sink");
    const reason = new FanfoldError("interrupted", "it received SIGTERM");
    await Promise.all([coordinator.close(reason), coordinator.close()]);
    await expect(sink.expect("ended")).rejects.toThrow("closed the connection");
    for (const client of [sink, silent]) {
      expect(await client.closed).toBe(1012);
      expect(client.closeReason).toBe("The coordinator stops: it received SIGTERM");
    }
    await coordinator.closed;
    await coordinator.close();
  });

  test("says as much of a long reason as a close frame takes, in whole characters", async () => {
    const coordinator = await coordinatorOf();
    const sink = await clientOf(coordinator);
    await sink.enter("sink");
    await coordinator.close(new FanfoldError("interrupted", "\u{1f4be}".repeat(100)));
    expect(await sink.closed).toBe(1012);
    expect(sink.closeReason).toMatch(/^The coordinator stops: \u{1f4be}{25}$/u);
  });

  test("happens when the signal aborts, and ends the events", async () => {
    const stop = new AbortController();
    const coordinator = await coordinatorOf({ signal: stop.signal });
    const events = new EventReader(coordinator);
    stop.abort(new FanfoldError("interrupted", "stopped"));
    await coordinator.closed;
    await expect(events.until("finished")).rejects.toThrow(/events ended/);
  });
});

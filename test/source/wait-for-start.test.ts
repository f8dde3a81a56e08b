import { describe, expect, test } from "vitest";
import type { Start } from "../../src/member/inbox.ts";
import { liveTarget } from "../../src/member/join.ts";
import type { CoordinatorMessage } from "../../src/protocol/messages/control.ts";
import type { SourceEvent } from "../../src/protocol/messages/events.ts";
import { resolveSinkNeed, type SinkNeedOptions } from "../../src/source/sink-need.ts";
import { waitForStart } from "../../src/source/wait-for-start.ts";
import { begin, welcome } from "../member/hand-coordinator.ts";

const members = (names: readonly string[]) =>
  names.map((name, index) => ({ id: String(index).padStart(6, "a"), name }));

function sinks(needed: number, ...names: string[]): CoordinatorMessage {
  return { type: "sinks", needed, sinks: members(names) };
}

function start(...names: string[]): Start {
  const source = { id: "ssssss", name: "laptop" };
  const rest = { sourceIdentity: "0".repeat(64), sourcePlace: [], late: false, dryRun: false };
  return { type: "start", epoch: 1, source, sinks: members(names), ...rest };
}

/** Lets everything happen that is on its way. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

/** A source that waits at a coordinator in the hands of the test, and what became of it. */
async function waitingFor(options: SinkNeedOptions) {
  const { link, clock, abort, accept } = begin();
  const connection = await accept();
  connection.says(welcome());
  await link.welcome();
  const events: SourceEvent[] = [];
  const live = liveTarget(welcome().transport, { address: { host: "127.0.0.1", port: 1 }, isSealed: false });
  const common = {
    need: resolveSinkNeed(options),
    live,
    sinceMs: clock.nowMs(),
    clock,
    signal: abort.signal,
    seal: {},
  };
  const end = waitForStart(link, { ...common, emit: (event) => events.push(event) });
  let ended: unknown = "no";
  end.then(
    (message) => {
      ended = message.type;
    },
    (error: unknown) => {
      ended = error;
    },
  );
  return {
    ...{ link, live, events },
    needs: () => connection.said.flatMap((message) => (message.type === "need" ? [message.destCount] : [])),
    async hear(...messages: CoordinatorMessage[]): Promise<unknown> {
      connection.says(...messages);
      await settle();
      return ended;
    },
    async after(ms: number): Promise<unknown> {
      clock.advance(ms);
      await settle();
      return ended;
    },
  };
}

const RANGE = { destCount: { min: 2, max: 3 }, waitMs: 20_000 };
const gaveUp = (message: string) => ({ code: "wait-timeout", message });

test("a ticket that comes while it waits is taken", async () => {
  const { live, hear } = await waitingFor({});
  expect(await hear({ type: "transport", transport: { kind: "embedded", ticket: "u".repeat(16) } })).toBe("no");
  expect(live.target).toMatchObject({ ticket: "u".repeat(16) });
});

describe("waitForStart()", () => {
  test("says when the time is over that fewer are enough, and starts with them", async () => {
    const source = await waitingFor(RANGE);
    expect(await source.hear(sinks(3, "alpha", "beta"))).toBe("no");
    expect(await source.after(19_999)).toBe("no");
    expect(source.needs()).toEqual([]);
    expect(await source.after(1)).toBe("no");
    expect(source.needs()).toEqual([2]);
    expect(await source.hear(start("alpha", "beta"))).toBe("start");
    expect(source.events.at(-1)).toEqual({ type: "started", sinks: ["alpha", "beta"] });
    await source.link.close();
  });

  test("gives up when fewer are there than are enough, and names who is there and who is missing", async () => {
    const source = await waitingFor({ ...RANGE, expect: ["alpha", "beta", "gamma"] });
    await source.hear(sinks(3, "alpha", "zeta"));
    expect(source.events).toEqual([
      { type: "waiting", needed: 3, sinks: ["alpha", "zeta"], missing: ["beta", "gamma"] },
    ]);
    expect(await source.after(20_000)).toMatchObject(
      gaveUp("too few sinks: 1 of 2 registered after 20 s (alpha, zeta); missing: beta, gamma"),
    );
    await source.link.close();
  });

  test("waits on for the least until --wait-timeout, and starts as soon as they are there", async () => {
    const source = await waitingFor({ ...RANGE, waitTimeoutMs: 60_000 });
    await source.hear(sinks(3, "alpha"));
    expect(await source.after(59_999)).toBe("no");
    expect(source.needs()).toEqual([2]);
    expect(await source.hear(sinks(2, "alpha"))).toBe("no");
    expect(await source.after(1)).toMatchObject(gaveUp("too few sinks: 1 of 2 registered after 60 s (alpha)"));
    await source.link.close();
  });

  test("gives up when a sink leaves at the very end, before the start", async () => {
    const source = await waitingFor(RANGE);
    await source.hear(sinks(3, "alpha", "beta"));
    expect(await source.after(20_000)).toBe("no");
    expect(await source.hear(sinks(2, "beta"))).toMatchObject(
      gaveUp("too few sinks: 1 of 2 registered after 20 s (beta)"),
    );
    await source.link.close();
  });

  test("names who is missing when it starts without them", async () => {
    const source = await waitingFor({ ...RANGE, expect: ["alpha", "beta", "gamma"] });
    expect(await source.hear(start("alpha", "gamma", "zeta"))).toBe("start");
    expect(source.events).toEqual([{ type: "started", sinks: ["alpha", "gamma", "zeta"], missing: ["beta"] }]);
    await source.link.close();
  });

  test("tells in which other sessions sinks wait, also when it gives up", async () => {
    const source = await waitingFor({ waitTimeoutMs: 5_000 });
    const elsewhere = { type: "elsewhere" as const, session: "foo", sessions: ["default", "nightly"] };
    await source.hear(sinks(1), elsewhere);
    expect(source.events).toEqual([{ type: "waiting", needed: 1, sinks: [] }, elsewhere]);
    expect(await source.after(5_000)).toMatchObject(
      gaveUp("too few sinks: 0 of 1 registered after 5 s; in other sessions sinks wait: default, nightly"),
    );
    await source.link.close();
  });

  test("asks for nothing less, and waits for ever, with a count alone", async () => {
    const source = await waitingFor({ destCount: 2 });
    await source.hear(sinks(2, "alpha"));
    expect(await source.after(10 ** 9)).toBe("no");
    expect(source.needs()).toEqual([]);
    await source.link.close();
  });
});

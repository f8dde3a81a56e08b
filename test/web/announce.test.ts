import { beforeEach, expect, test } from "vitest";
import type { SessionView } from "../../src/protocol/messages/session-view.ts";
import { announce, announced, announceWatched, forgetAnnounced } from "../../src/web/store/announce.ts";

const VIEW: SessionView = {
  ...{ session: "nightly", sessionId: "kny34s0zie3i", epoch: 1, state: "running", source: "laptop" },
  sinks: [],
};

beforeEach(forgetAnnounced);

const texts = (): readonly string[] => announced.value.map(({ text }) => text);

test("changes of one moment are all said, in their order", () => {
  announceWatched({ type: "recovered", session: "nightly", withinMs: 60_000, missed: "2026-01-01T00:00:00.000Z" });
  announce(VIEW, { ...VIEW, state: "ended" });
  expect(texts()).toEqual(["nightly: has a whole copy again", "nightly: ended"]);
});

test("a state that stays is not said again", () => {
  announce(VIEW, VIEW);
  expect(texts()).toEqual([]);
});

test("the latest eight stay", () => {
  for (let number = 1; number <= 20; number += 1)
    announce(undefined, { ...VIEW, session: `s${number}`, state: "waiting" });
  expect(texts()).toEqual([13, 14, 15, 16, 17, 18, 19, 20].map((number) => `s${number}: waiting`));
  expect(new Set(announced.value.map(({ number }) => number)).size).toBe(8);
});

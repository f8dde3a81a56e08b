import { expect, test } from "vitest";
import { SourceWatch } from "../../../src/sink/session/source-watch.ts";
import { handClock } from "../../helpers/hand-clock.ts";

test("a source that left is there again when it is heard later than what was under way", () => {
  const clock = handClock();
  const returned: string[] = [];
  const watch = new SourceWatch(clock, (name) => returned.push(name));
  watch.heard();
  watch.left("laptop");
  clock.advance(2_499);
  watch.heard();
  expect(returned).toEqual([]);
  clock.advance(1);
  watch.heard();
  watch.heard();
  expect(returned).toEqual(["laptop"]);
});

test("a source that begins anew needs no word of its return", () => {
  const clock = handClock();
  const returned: string[] = [];
  const watch = new SourceWatch(clock, (name) => returned.push(name));
  watch.left("laptop");
  watch.started();
  clock.advance(10_000);
  watch.heard();
  expect(returned).toEqual([]);
});

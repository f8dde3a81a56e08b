import { describe, expect, test } from "vitest";
import { LinkPulse, PULSE_LOOK_MS } from "../../../src/transport/nats/link-pulse.ts";

/** Looks until the link is given up; an answer comes whenever `answersAt` says so. */
function deadMs(pulse: LinkPulse, fromMs: number, answersAt: (nowMs: number) => boolean = () => false): number {
  for (let now = fromMs; now < fromMs + 1_000_000; now += PULSE_LOOK_MS) {
    if (answersAt(now)) pulse.answered(now);
    const state = pulse.look(now);
    if (state === "quiet") pulse.ask(now);
    if (state === "dead") return now - fromMs;
  }
  return Number.POSITIVE_INFINITY;
}

describe("LinkPulse", () => {
  test("a server that owes an answer and says nothing for 5 s hangs; one that owes none is asked after 2 s", () => {
    const asked = new LinkPulse(0);
    asked.ask(0);
    expect(deadMs(asked, 0)).toBe(5_000);
    expect(deadMs(new LinkPulse(0), 0)).toBe(7_000);
  });

  test("whatever comes is a sign of life", () => {
    const pulse = new LinkPulse(0);
    pulse.ask(0);
    for (let now = 0; now < 60_000; now += PULSE_LOOK_MS) {
      if (now % 2_000 === 0) pulse.heard(now);
      expect(pulse.look(now)).toBe("alive");
    }
  });

  test("a link whose answers take long is given twice the time of the longest", () => {
    const pulse = new LinkPulse(0);
    pulse.ask(0);
    pulse.ask(0);
    for (let now = 0; now <= 4_000; now += PULSE_LOOK_MS) pulse.look(now);
    pulse.answered(4_000);
    expect(deadMs(pulse, 4_000)).toBe(8_000);
  });

  test("a link that is slower than that is lost at most four times, and then kept", () => {
    const pulse = new LinkPulse(0);
    let [now, losses] = [0, 0];
    for (; losses < 10; losses += 1) {
      pulse.begin(now);
      pulse.ask(now);
      const answerAt = now + 35_000;
      const lived = deadMs(pulse, now, (at) => at === answerAt);
      if (lived > 35_000) break;
      now += lived;
    }
    expect(losses).toBe(3);
  });

  test("a time in which this process stood still says nothing of the server", () => {
    const pulse = new LinkPulse(0);
    pulse.ask(0);
    pulse.look(500);
    expect(pulse.look(60_000)).toBe("alive");
    expect(deadMs(pulse, 60_000)).toBe(5_000);
  });

  test("nothing is owed on a new link", () => {
    const pulse = new LinkPulse(0);
    pulse.ask(0);
    pulse.begin(4_000);
    expect(deadMs(pulse, 4_000)).toBe(7_000);
  });
});

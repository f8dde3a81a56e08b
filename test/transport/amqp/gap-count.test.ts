import { describe, expect, it } from "vitest";
import { GapCount } from "../../../src/transport/amqp/gap-count.ts";

const at = (messages: number, bytes: number, publisher = "p", subject = "s") => ({
  publisher,
  subject,
  messages,
  bytes,
});

describe("GapCount", () => {
  it("sees no gap in an unbroken run, wherever it begins", () => {
    const gaps = new GapCount();
    expect(gaps.take(at(7, 700), 100)).toBeUndefined();
    expect(gaps.take(at(8, 800), 50)).toBeUndefined();
    expect(gaps.take(at(9, 850), 1)).toBeUndefined();
  });

  it("tells the messages and bytes that are missing before a message", () => {
    const gaps = new GapCount();
    gaps.take(at(0, 0), 10);
    expect(gaps.take(at(4, 70), 10)).toEqual({ messages: 3, bytes: 60 });
    expect(gaps.take(at(5, 80), 10)).toBeUndefined();
  });

  it("keeps publishers and subjects apart", () => {
    const gaps = new GapCount();
    gaps.take(at(0, 0, "one", "a"), 10);
    expect(gaps.take(at(5, 50, "two", "a"), 10)).toBeUndefined();
    expect(gaps.take(at(5, 50, "one", "b"), 10)).toBeUndefined();
    expect(gaps.take(at(2, 20, "one", "a"), 10)).toEqual({ messages: 1, bytes: 10 });
  });

  it("sees no gap in a message that comes again", () => {
    const gaps = new GapCount();
    gaps.take(at(3, 30), 10);
    expect(gaps.take(at(3, 30), 10)).toBeUndefined();
    expect(gaps.take(at(4, 40), 10)).toBeUndefined();
  });

  it("forgets the publisher that is silent longest beyond its bound, not the others", () => {
    const gaps = new GapCount();
    for (let index = 0; index < 1025; index += 1) gaps.take(at(0, 0, `p${index}`), 1);
    expect(gaps.take(at(5, 5, "p1024"), 1)).toEqual({ messages: 4, bytes: 4 });
    expect(gaps.take(at(5, 5, "p0"), 1)).toBeUndefined();
  });
});

import { describe, expect, test } from "vitest";
import { FanfoldError } from "../../src/lib/errors.ts";
import { Inbox } from "../../src/member/inbox.ts";

const never = new AbortController().signal;

describe("Inbox", () => {
  test("gives one message after another, and after them what ended it", async () => {
    const inbox = new Inbox<string>();
    for (const item of ["one", "two"]) inbox.push(item);
    inbox.end(new FanfoldError("coordinator-lost", "gone"));
    expect(await inbox.next(never)).toBe("one");
    expect(await inbox.next(never)).toBe("two");
    await expect(inbox.next(never)).rejects.toMatchObject({ code: "coordinator-lost", message: "gone" });
    await expect(inbox.next(never)).rejects.toMatchObject({ code: "coordinator-lost" });
  });

  test("loses no message by a wait that was broken off", async () => {
    const inbox = new Inbox<string>();
    const once = new AbortController();
    const waiting = inbox.next(once.signal);
    once.abort(new FanfoldError("wait-timeout", "long enough"));
    await expect(waiting).rejects.toMatchObject({ code: "wait-timeout" });
    inbox.push("one");
    expect(await inbox.next(never)).toBe("one");
  });

  test("takes no more than a reader can be behind", () => {
    const inbox = new Inbox<number>();
    expect(() => {
      for (let item = 0; item <= 1_000; item += 1) inbox.push(item);
    }).toThrow(expect.objectContaining({ code: "damaged" }));
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type RoutedMessage, Router } from "../../src/transport/router.ts";
import { isPattern, isSubject } from "../../src/transport/subject-rules.ts";

function on(subject: string): RoutedMessage {
  return { subject, parts: [], bytes: 0, hold: () => () => undefined };
}

describe("a router", () => {
  test("hands a message to exact and to wildcard subscribers, and tells how many", () => {
    const router = new Router();
    const seen: string[] = [];
    router.subscribe("a.b", () => seen.push("exact"));
    router.subscribe("a.*", () => seen.push("wildcard"));
    router.subscribe("a.b.*", () => seen.push("longer"));
    router.subscribe("a", () => seen.push("shorter"));
    expect(router.publish(on("a.b"))).toBe(2);
    expect(seen).toEqual(["exact", "wildcard"]);
    expect(router.publish(on("nobody.here"))).toBe(0);
  });

  test("counts the same receiver as often as it subscribed, and each leave once", () => {
    const router = new Router();
    let count = 0;
    const receiver = (): void => {
      count += 1;
    };
    const [first, second] = [router.subscribe("a.b", receiver), router.subscribe("a.b", receiver)];
    router.publish(on("a.b"));
    first();
    first();
    router.publish(on("a.b"));
    second();
    router.publish(on("a.b"));
    expect(count).toBe(3);
  });

  test("lets a receiver leave while a message is handed out", () => {
    const router = new Router();
    const seen: string[] = [];
    const leave = router.subscribe("a.b", () => {
      leave();
      seen.push("first");
    });
    router.subscribe("a.b", () => seen.push("second"));
    router.publish(on("a.b"));
    router.publish(on("a.b"));
    expect(seen).toEqual(["first", "second", "second"]);
  });

  test.each(["", ".", "a.", ".a", "a..b", "a.*.b", "*", "a.>", "a b", "a.\n", "ä", "a".repeat(256)])(
    "refuses %j as a subject",
    (subject) => {
      const router = new Router();
      expect(() => router.publish(on(subject))).toThrow(expect.objectContaining({ code: "internal" }));
      expect(() => router.subscribe(subject, () => undefined)).toThrow(expect.objectContaining({ code: "internal" }));
    },
  );

  test("matches the wildcard with exactly one token, whatever the subject", () => {
    const token = fc.stringMatching(/^[a-z0-9]{1,3}$/);
    const subjects = fc.array(token, { minLength: 1, maxLength: 4 }).map((tokens) => tokens.join("."));
    fc.assert(
      fc.property(subjects, subjects, (prefix, subject) => {
        const router = new Router();
        router.subscribe(`${prefix}.*`, () => undefined);
        const rest = subject.startsWith(`${prefix}.`) ? subject.slice(prefix.length + 1) : undefined;
        expect(router.publish(on(subject))).toBe(rest !== undefined && !rest.includes(".") ? 1 : 0);
      }),
    );
  });
});

describe("subject rules", () => {
  test("take every subject as a pattern, and a pattern with a wildcard not as a subject", () => {
    expect([isSubject("a.b"), isPattern("a.b")]).toEqual([true, true]);
    expect([isSubject("a.*"), isPattern("a.*")]).toEqual([false, true]);
    expect([isPattern("a.*.*"), isPattern(".*"), isPattern("*")]).toEqual([false, false, false]);
  });
});

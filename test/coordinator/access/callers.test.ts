import { expect, test } from "vitest";
import { CALLS_MAX, Callers } from "../../../src/coordinator/access/callers.ts";

test("no token has more than so many requests at a time, and others are not held up", () => {
  const callers = new Callers();
  const [first] = Array.from({ length: CALLS_MAX }, () => {
    const call = new AbortController();
    callers.enter("k3m9x2qa", call.signal);
    return call;
  });
  const { signal } = new AbortController();
  expect(() => callers.enter("k3m9x2qa", signal)).toThrow(expect.objectContaining({ code: "too-many" }));
  callers.enter("b7d0p4wz", signal);
  first?.abort();
  callers.enter("k3m9x2qa", signal);
  expect(() => callers.enter("k3m9x2qa", signal)).toThrow(expect.objectContaining({ code: "too-many" }));
});

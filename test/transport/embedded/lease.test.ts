import { describe, expect, test } from "vitest";
import { Lease } from "../../../src/transport/embedded/lease.ts";

describe("a lease", () => {
  test("frees its memory once, when the last of those who hold it lets go", () => {
    let freed = 0;
    const lease = new Lease(() => {
      freed += 1;
    });
    const [one, two] = [lease.hold(), lease.hold()];
    one();
    expect(freed).toBe(0);
    two();
    expect(freed).toBe(1);
  });

  test("counts each holder's word once", () => {
    let freed = 0;
    const lease = new Lease(() => {
      freed += 1;
    });
    const [one, two] = [lease.hold(), lease.hold()];
    one();
    one();
    expect(freed).toBe(0);
    two();
    two();
    expect(freed).toBe(1);
  });
});

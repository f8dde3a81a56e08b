import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PathStack } from "../../../src/lib/disk/path-stack.ts";

describe("PathStack", () => {
  test("gives the last one first, however many there are", () => {
    // Each step pushes or pops many at once, so that blocks leave memory and come back.
    const steps = fc.array(fc.integer({ min: -9000, max: 9000 }), { maxLength: 12 });
    fc.assert(
      fc.property(steps, (list) => {
        using stack = new PathStack();
        const model: string[] = [];
        let next = 0;
        // One judgement for many: an `expect` for each of half a million paths takes longer than all the rest.
        const popBoth = (count: number): void => {
          const [popped, wanted]: (string | undefined)[][] = [[], []];
          for (let index = 0; index < count; index += 1) {
            popped?.push(stack.pop()?.toString());
            wanted?.push(model.pop());
          }
          expect(popped?.join("\n") === wanted?.join("\n")).toBe(true);
        };
        for (const step of list) {
          for (let count = 0; count < step; count += 1) {
            next += 1;
            model.push(`path/${next}`);
            stack.push(Buffer.from(`path/${next}`));
          }
          popBoth(-step);
        }
        popBoth(model.length);
        expect(stack.pop()).toBeUndefined();
      }),
      { numRuns: 20 },
    );
  });

  test("keeps the empty path, and paths of the greatest length and of any bytes", () => {
    using stack = new PathStack();
    const paths = Array.from({ length: 10_000 }, (_, index) => Buffer.alloc((index * 37) % 4096, index % 256));
    for (const path of paths) stack.push(path);
    for (const path of paths.toReversed()) expect(stack.pop()?.equals(path)).toBe(true);
  });
});

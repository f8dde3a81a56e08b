import fc from "fast-check";
import { expect, test } from "vitest";
import { EventReader } from "../../src/web/store/event-reader.ts";

const TEXT = 'retry: 2000\n\nid: a-1\ndata: {"x":1}\n\n: here\n\nid: a-2\ndata: 2\ndata: 3\n\nid: a-3\ndata: not whole';

test("EventReader gives each event once it is whole, wherever the stream is cut", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(TEXT.length)), (cuts) => {
      const reader = new EventReader();
      const at = [0, ...cuts, TEXT.length].sort((one, other) => one - other);
      const events = at.flatMap((from, index) => reader.read(TEXT.slice(from, at[index + 1] ?? TEXT.length)));
      expect(events).toEqual([
        { id: "a-1", data: '{"x":1}' },
        { id: "a-2", data: "2\n3" },
      ]);
    }),
  );
});

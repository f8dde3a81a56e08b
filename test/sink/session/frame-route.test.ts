import { describe, expect, test } from "vitest";
import { buildFrame, FRAME_HEADER_BYTES, finishFrame, type StreamScope } from "../../../src/protocol/frame/frame.ts";
import { type FrameRoute, routeFrame } from "../../../src/sink/session/frame-route.ts";

const PLACE: StreamScope = { sessionId: "abcdefghijkl", epoch: 2, stream: 1 };

function frameOf(change: Partial<StreamScope> = {}): Buffer {
  const frame = buildFrame({ type: "heartbeat", ...PLACE, ...change }, new Uint8Array());
  finishFrame(frame, 7);
  return frame;
}

describe("routeFrame()", () => {
  test.each<[string, Partial<StreamScope>, boolean, FrameRoute]>([
    ["of its stream", {}, true, { to: "engine" }],
    ["of its stream, on the subject of all", {}, false, { to: "engine" }],
    ["of a lower stream", { stream: 0 }, false, { to: "nobody" }],
    ["of a lower epoch", { epoch: 1 }, true, { to: "nobody" }],
    ["of a lower epoch and a higher stream", { epoch: 1, stream: 9 }, true, { to: "nobody" }],
    ["of a higher epoch", { epoch: 3, stream: 0 }, false, { to: "nobody" }],
    ["of a higher stream on its own subject", { stream: 3 }, true, { to: "next", stream: 3 }],
    ["of a higher stream on the subject of all", { stream: 3 }, false, { to: "nobody" }],
    ["of a higher stream of another session", { stream: 3, sessionId: "zzzzzzzzzzzz" }, true, { to: "nobody" }],
  ])("a frame %s", (_what, change, isOwnSubject, route) => {
    expect(routeFrame(frameOf(change), PLACE, isOwnSubject)).toEqual(route);
  });

  test("a spoilt header begins no stream", () => {
    for (let offset = 16; offset < FRAME_HEADER_BYTES; offset += 1) {
      const frame = frameOf();
      frame[offset] = (frame[offset] ?? 0) + 1;
      expect(routeFrame(frame, PLACE, true).to).not.toBe("next");
    }
  });

  test("leaves what is no frame of this version to the engine, which knows what to say", () => {
    const other = frameOf({ stream: 9 });
    other[2] = 99;
    for (const payload of [other, Buffer.alloc(0), Buffer.from("FF")])
      expect(routeFrame(payload, PLACE, true)).toEqual({ to: "engine" });
  });

  test("looks at a payload that is a view of something larger", () => {
    const whole = Buffer.concat([Buffer.alloc(13, 0xff), frameOf({ stream: 2 })]);
    expect(routeFrame(whole.subarray(13), PLACE, true)).toEqual({ to: "next", stream: 2 });
  });
});

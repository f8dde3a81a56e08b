import { describe, expect, test } from "vitest";
import type { SinkEvent } from "../../../src/protocol/messages/events.ts";
import { takeFolder } from "../../../src/sink/session/take-folder.ts";
import { handClock } from "../../helpers/hand-clock.ts";

/** A folder that is read by somebody while `isRead`. */
function folderRead(isRead: () => boolean) {
  return { path: Buffer.from("/backup"), claim: () => !isRead() };
}

describe("takeFolder()", () => {
  test("has a folder that nobody reads at once, and says nothing", async () => {
    const events: SinkEvent[] = [];
    const options = { emit: (event: SinkEvent) => events.push(event), clock: handClock() };
    await takeFolder(
      folderRead(() => false),
      { ...options, signal: new AbortController().signal },
    );
    expect(events).toEqual([]);
  });

  test("waits for who reads it, says so once, and is ended by its signal", async () => {
    const events: SinkEvent[] = [];
    const [clock, stop] = [handClock(), new AbortController()];
    let isRead = true;
    const options = { emit: (event: SinkEvent) => events.push(event), clock, signal: stop.signal };
    const taken = takeFolder(
      folderRead(() => isRead),
      options,
    );
    const message = '"/backup" is being verified: the copy begins after that';
    expect(events).toEqual([{ type: "warning", code: "folder-busy", message }]);
    clock.advance(1_000);
    await Promise.resolve();
    isRead = false;
    clock.advance(1_000);
    await taken;
    expect(events).toHaveLength(1);
    const ended = takeFolder(
      folderRead(() => true),
      options,
    );
    stop.abort(new Error("over"));
    await expect(ended).rejects.toThrow("over");
  });
});

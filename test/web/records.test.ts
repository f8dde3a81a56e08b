import { expect, test } from "vitest";
import { history, olderFrom, readOlder, recordsVersion, refreshRecords } from "../../src/web/store/records.ts";
import { startPageServer } from "./page-server.ts";

const PAGE = 50;
/** A busy machine may take its time. */
const WAIT = { timeout: 100_000 };

test("older sessions that were loaded stay when something changes, and none comes twice", async () => {
  const kept = Array.from({ length: 120 }, (_, index) => 120 - index);
  const asked: string[] = [];
  await using server = await startPageServer(({ url = "" }, response) => {
    const { pathname, searchParams } = new URL(url, "http://page");
    response.setHeader("content-type", "application/json");
    if (!pathname.endsWith("/history")) {
      response.end('{"sinks":[],"wanted":[]}');
      return;
    }
    const before = searchParams.get("before");
    asked.push(before ?? "latest");
    const left = kept.filter((number) => before === null || number < Number(before));
    const sessions = left.slice(0, PAGE).map((number) => ({ sessionId: String(number), state: "ended" }));
    const next = left.length > PAGE ? { next: sessions.at(-1)?.sessionId } : {};
    response.end(JSON.stringify({ sessions, ...next }));
  });
  expect(server).toBeDefined();
  const shown = (): readonly number[] => (history.value ?? []).map(({ sessionId }) => Number(sessionId));

  await refreshRecords();
  await expect.poll(() => shown().length, WAIT).toBe(PAGE);
  await Promise.all([readOlder(), readOlder()]);
  expect(asked).toEqual(["latest", "71"]);
  expect(shown()).toEqual(kept.slice(0, 2 * PAGE));

  kept.unshift(121);
  await refreshRecords();
  await expect.poll(() => shown()[0], WAIT).toBe(121);
  expect(shown()).toEqual(kept.slice(0, 2 * PAGE + 1));
  await readOlder();
  expect(shown()).toEqual(kept);
  expect(olderFrom.value).toBeUndefined();

  // More than a page has ended since: what was loaded before would leave a gap.
  kept.unshift(...Array.from({ length: 60 }, (_, index) => 181 - index));
  const { value } = recordsVersion;
  await refreshRecords();
  await expect.poll(() => shown()[0], WAIT).toBe(181);
  expect(recordsVersion.value).toBe(value + 1);
  expect(shown()).toEqual(kept.slice(0, PAGE));
  expect(olderFrom.value).toBe("132");
});

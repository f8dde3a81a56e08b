import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runForNotice } from "../../../src/coordinator/notices/command.ts";
import { shellProgram } from "../../helpers/processes/shell-program.ts";

const BODY = JSON.stringify({
  ...{ time: "2026-01-02T03:04:05.000Z", type: "ended", session: "photos" },
  ...{ sessionId: "abc123abc123", result: "complete" },
});
const ENTRY = { id: "msg_1", body: BODY };
const { signal } = new AbortController();

describe("runForNotice()", () => {
  test("gives a program the event on standard input and in its environment, and no secret of the coordinator", async () => {
    const { folder, options } = await shellProgram("cat > body", "env > env", "echo told; echo '\u001b[31m' >&2");
    expect(await runForNotice(ENTRY, options, signal)).toMatch(/told.*\\x1b\[31m/);
    expect(readFileSync(join(folder, "body"), "utf8")).toBe(`${BODY}\n`);
    const env = readFileSync(join(folder, "env"), "utf8").split("\n");
    expect(env.filter((line) => line.startsWith("FANFOLD_")).sort()).toEqual([
      "FANFOLD_EVENT=ended",
      "FANFOLD_EVENT_ID=msg_1",
      "FANFOLD_EVENT_RESULT=complete",
      "FANFOLD_EVENT_SESSION=photos",
      "FANFOLD_EVENT_SESSION_ID=abc123abc123",
      "FANFOLD_EVENT_TIME=2026-01-02T03:04:05.000Z",
    ]);
    expect(env).toContain("HOME=/home");
  });
});

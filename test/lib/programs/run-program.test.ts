import type { ChildProcess } from "node:child_process";
import { channel } from "node:diagnostics_channel";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { runProgram } from "../../../src/lib/programs/run-program.ts";
import { handClock } from "../../helpers/hand-clock.ts";
import { shellProgram } from "../../helpers/processes/shell-program.ts";
import { thrownCode } from "../../helpers/thrown.ts";

const { signal } = new AbortController();

/** A program of these lines, with all that a run needs. */
async function programOf(...lines: readonly string[]) {
  const { folder, options } = await shellProgram(...lines);
  return { folder, options: { purpose: "cannot tell", input: "{}", variables: {}, ...options } };
}

describe("runProgram()", () => {
  test("shows no token that it prints", async () => {
    const { options } = await programOf(`echo "cannot mail ff1_sink_${"a".repeat(40)}"`);
    expect(await runProgram(options, signal)).toBe("cannot mail ff1_sink_…");
  });

  test("does not mind one that reads nothing, and cuts what it prints", async () => {
    const { options } = await programOf("exec 0<&-", "head -c 100000 /dev/zero | tr '\\0' a");
    expect(await runProgram({ ...options, input: "x".repeat(500_000) }, signal)).toBe("a".repeat(2000));
  });

  test("fails with one that fails, and says what it said", async () => {
    const { options } = await programOf("echo no mail today >&2", "exit 3");
    await expect(runProgram(options, signal)).rejects.toMatchObject({
      ...{ code: "refused", message: expect.stringMatching(/it ended with status 3$/), output: "no mail today" },
    });
    const nowhere = { ...options, program: join(options.program, "nowhere") };
    await expect(runProgram(nowhere, signal)).rejects.toMatchObject({ code: "refused" });
  });

  test("does not mind that what it prints cannot be read", async () => {
    const { options } = await programOf("echo told", "sleep 2 &");
    const children = channel("child_process");
    // The system's own process, whose pipes break once it has ended.
    const breakPipes = (message: unknown): void => {
      const { process: child } = message as { readonly process: ChildProcess };
      const failure = new Error("read EIO");
      child.once("exit", () =>
        setImmediate(() => void [child.stdout, child.stderr].map((pipe) => pipe?.destroy(failure))),
      );
    };
    children.subscribe(breakPipes);
    onTestFinished(() => void children.unsubscribe(breakPipes));
    const unhandled: unknown[] = [];
    const take = (thrown: unknown): void => void unhandled.push(thrown);
    process.on("unhandledRejection", take);
    onTestFinished(() => void process.off("unhandledRejection", take));
    expect(await runProgram(options, signal)).toMatch(/^(told)?$/);
    await new Promise((resolve) => setImmediate(resolve));
    expect(unhandled).toEqual([]);
  });

  test("ends one that takes too long, and what it has started", async () => {
    const { folder, options } = await programOf(
      "(sleep 300; sleep 300; echo late > late) &",
      "echo $$ > pid",
      "sleep 600",
    );
    const clock = handClock();
    const failed = runProgram({ ...options, clock, runWithinMs: 3000 }, signal);
    await expect
      .poll(() => existsSync(join(folder, "pid")) && readFileSync(join(folder, "pid"), "utf8"))
      .toMatch(/\n$/);
    clock.advance(3000);
    await expect(failed).rejects.toThrow(/it did not end within 3 s/);
    const pid = Number(readFileSync(join(folder, "pid"), "utf8"));
    await expect.poll(() => thrownCode(() => process.kill(-pid, 0))).toBe("ESRCH");
    expect(existsSync(join(folder, "late"))).toBe(false);
  });
});

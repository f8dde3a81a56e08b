import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { expect, onTestFinished, test } from "vitest";

const PROGRAM = new URL("./painter-program.ts", import.meta.url).pathname;
const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";

test("Ctrl-Z gives the terminal back and stops the process, which draws again when it goes on", async () => {
  const child = spawn(process.execPath, [PROGRAM], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (more: string) => {
    text += more;
  });
  const shows = async (end: RegExp): Promise<void> => {
    while (!end.test(text)) await once(child.stdout, "data");
  };
  await shows(/drawn/);
  expect(text.startsWith("\x1b[?2026h")).toBe(true);
  expect(text).toContain(HIDE_CURSOR);
  text = "";
  child.kill("SIGTSTP");
  await shows(/\?25h$/);
  expect(text).toBe(`\r\x1b[J\x1b[?7h${SHOW_CURSOR}`);
  await expect.poll(() => stateOf(child.pid)).toBe("T");
  text = "";
  child.kill("SIGCONT");
  await shows(/drawn/);
  expect(text).toContain(HIDE_CURSOR);
});

/** As the system says: `T` is stopped. */
function stateOf(pid: number | undefined): string | undefined {
  return /\) (\w) /.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))?.[1];
}

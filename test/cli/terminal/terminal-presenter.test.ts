import { expect, onTestFinished, test } from "vitest";
import { TerminalPresenter } from "../../../src/cli/terminal/terminal-presenter.ts";
import { sourceView } from "../../../src/cli/view/source-view.ts";
import { PLAIN_STYLE } from "../../../src/cli/view/text/style.ts";
import { memoryIo } from "./memory-io.ts";
import { TerminalScreen } from "./terminal-screen.ts";

test("TerminalPresenter breaks messages between words at a terminal, and nowhere else", () => {
  const terminal = new TerminalScreen(50);
  const io = { ...memoryIo(), stdout: terminal };
  const mode = { kind: "terminal", verbose: false, colour: false } as const;
  const presenter = new TerminalPresenter(sourceView, { io, mode, style: PLAIN_STYLE });
  onTestFinished(() => presenter.close());
  const sinks = ["vm-1", "vm-2", "vm-3", "vm-4", "vm-5", "vm-6"];
  presenter.take({ type: "started", sinks });
  expect(terminal.lines).toEqual(["started with 6 sinks: vm-1, vm-2, vm-3, vm-4,", "  vm-5, vm-6"]);
  presenter.error(`fanfold: warning: ${"a word and ".repeat(8)}the end`);
  expect(io.stderr.lines).toHaveLength(1);
});

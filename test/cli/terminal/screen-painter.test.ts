import { afterEach, describe, expect, test } from "vitest";
import { ScreenPainter } from "../../../src/cli/terminal/screen-painter.ts";
import type { Screen, ScreenSize } from "../../../src/cli/view/view.ts";
import { ManualClock } from "../../coordinator/manual-clock.ts";
import { TerminalScreen } from "./terminal-screen.ts";

describe("ScreenPainter", () => {
  const painters: ScreenPainter[] = [];
  afterEach(() => {
    for (const painter of painters.splice(0)) painter.close();
  });

  function open(columns = 80) {
    const terminal = new TerminalScreen(columns);
    const clock = new ManualClock();
    const shown: { screen: Screen; size: ScreenSize | undefined } = { screen: { kind: "none" }, size: undefined };
    const draw = (size: ScreenSize): Screen => {
      shown.size = size;
      return shown.screen;
    };
    const painter = new ScreenPainter({ output: terminal, clock, colour: false, draw });
    painters.push(painter);
    const show = (screen: Screen): void => {
      shown.screen = screen;
      clock.advance(100);
    };
    return { terminal, painter, show, shown };
  }

  const bars: Screen = { kind: "lines", lines: ["file", "bar", "counts"] };

  test("draws lines and takes them away without a trace", async () => {
    const { terminal, painter, show } = open();
    show(bars);
    await Promise.resolve();
    expect(terminal.lines).toEqual(["file", "bar", "counts"]);
    expect([terminal.cursorVisible, terminal.wrapping]).toEqual([false, false]);
    painter.close();
    expect(terminal.text).toBe("");
    expect([terminal.cursorVisible, terminal.wrapping]).toEqual([true, true]);
  });

  test("prints messages above the lines, in their order", async () => {
    const { terminal, painter, show } = open();
    show(bars);
    await Promise.resolve();
    painter.print("first", terminal);
    painter.print("a second one that is long enough to go over the edge of this terminal of eighty columns", terminal);
    expect(terminal.lines.slice(0, 2)).toEqual(["first", expect.stringMatching(/^a second one .{60,}/)]);
    expect(terminal.lines.slice(3)).toEqual(["file", "bar", "counts"]);
    painter.close();
    expect(terminal.lines).toHaveLength(3);
  });

  test("goes from waiting to lines and back, and leaves no line of either", async () => {
    const { terminal, painter, show } = open();
    show({ kind: "waiting", text: "waiting for a source" });
    expect(terminal.text).toMatch(/^\S waiting for a source$/);
    painter.print("joined", terminal);
    expect(terminal.lines[0]).toBe("joined");
    show(bars);
    await Promise.resolve();
    expect(terminal.lines).toEqual(["joined", "file", "bar", "counts"]);
    show({ kind: "waiting", text: "waiting again" });
    expect(terminal.lines).toEqual(["joined", expect.stringMatching(/^\S waiting again$/)]);
    painter.close();
    expect(terminal.text).toBe("joined");
    expect(terminal.cursorVisible).toBe(true);
  });

  test("shows more lines, and fewer again", async () => {
    const { terminal, painter, show } = open();
    show(bars);
    show({ kind: "lines", lines: ["1", "2", "3", "4", "5"] });
    painter.print("more", terminal);
    expect(terminal.lines).toEqual(["more", "1", "2", "3", "4", "5"]);
    show({ kind: "lines", lines: ["only"] });
    painter.print("fewer", terminal);
    expect(terminal.lines).toEqual(["more", "fewer", "only"]);
  });

  test("never draws more lines than the terminal has", async () => {
    const { terminal, show } = open();
    terminal.rows = 5;
    show({ kind: "lines", lines: Array.from({ length: 50 }, (_, index) => String(index)) });
    await Promise.resolve();
    expect(terminal.lines).toHaveLength(4);
  });

  test("follows a terminal that becomes narrower, and draws to its new width", async () => {
    const { terminal, painter, show, shown } = open(80);
    show(bars);
    await Promise.resolve();
    terminal.columns = 40;
    terminal.emit("resize");
    painter.print("after", terminal);
    expect(shown.size?.columns).toBe(39);
    expect(terminal.lines.slice(-4)).toEqual(["after", "file", "bar", "counts"]);
  });

  test("prints to another stream without touching the screen", async () => {
    const { terminal, painter, show } = open();
    show(bars);
    await Promise.resolve();
    const before = terminal.writes;
    let said = "";
    painter.print("warning", { write: (text) => (said += text) });
    expect(said).toBe("warning\n");
    expect(terminal.writes).toBe(before);
  });
});

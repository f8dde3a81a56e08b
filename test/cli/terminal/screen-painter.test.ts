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

  function open(columns = 80, rows = 24, unicode = true) {
    const terminal = new TerminalScreen(columns, rows);
    const clock = new ManualClock();
    const shown: { screen: Screen; size: ScreenSize | undefined } = { screen: { kind: "none" }, size: undefined };
    const draw = (size: ScreenSize): Screen => {
      shown.size = size;
      return shown.screen;
    };
    const painter = new ScreenPainter({ output: terminal, clock, colour: false, unicode, draw });
    painters.push(painter);
    const show = (screen: Screen): void => {
      shown.screen = screen;
      clock.advance(100);
    };
    return { terminal, painter, show, shown };
  }

  const bars: Screen = { kind: "lines", lines: ["file", "bar", "counts"] };

  test("draws lines and takes them away without a trace", () => {
    const { terminal, painter, show } = open();
    show(bars);
    expect(terminal.lines).toEqual(["file", "bar", "counts"]);
    expect([terminal.cursorVisible, terminal.wrapping]).toEqual([false, false]);
    painter.close();
    expect(terminal.text).toBe("");
    expect([terminal.cursorVisible, terminal.wrapping]).toEqual([true, true]);
  });

  test("prints messages above the lines, in their order", () => {
    const { terminal, painter, show } = open();
    show(bars);
    painter.print("first", terminal);
    painter.print("a second one that is long enough to go over the edge of this terminal of eighty columns", terminal);
    expect(terminal.lines.slice(0, 2)).toEqual(["first", expect.stringMatching(/^a second one .{60,}/)]);
    expect(terminal.lines.slice(3)).toEqual(["file", "bar", "counts"]);
    painter.close();
    expect(terminal.lines).toHaveLength(3);
  });

  test("goes from waiting to lines and back, and leaves no line of either", () => {
    const { terminal, painter, show } = open();
    show({ kind: "waiting", text: "waiting for a source" });
    expect(terminal.text).toMatch(/^\S waiting for a source$/);
    painter.print("joined", terminal);
    expect(terminal.lines[0]).toBe("joined");
    show(bars);
    expect(terminal.lines).toEqual(["joined", "file", "bar", "counts"]);
    show({ kind: "waiting", text: "waiting again" });
    expect(terminal.lines).toEqual(["joined", expect.stringMatching(/^\S waiting again$/)]);
    painter.close();
    expect(terminal.text).toBe("joined");
    expect(terminal.cursorVisible).toBe(true);
  });

  test("shows more lines, and fewer again", () => {
    const { terminal, painter, show } = open();
    show(bars);
    show({ kind: "lines", lines: ["1", "2", "3", "4", "5"] });
    painter.print("more", terminal);
    expect(terminal.lines).toEqual(["more", "1", "2", "3", "4", "5"]);
    show({ kind: "lines", lines: ["only"] });
    painter.print("fewer", terminal);
    expect(terminal.lines).toEqual(["more", "fewer", "only"]);
  });

  test("never draws more lines than the terminal has", () => {
    const { terminal, show } = open();
    terminal.rows = 5;
    show({ kind: "lines", lines: Array.from({ length: 50 }, (_, index) => String(index)) });
    expect(terminal.lines).toHaveLength(4);
  });

  test("follows a terminal that becomes narrower, and leaves no line twice nor takes one away", () => {
    const { terminal, painter, show, shown } = open(80);
    const wide = (name: string): Screen => ({ kind: "lines", lines: [name, "=".repeat(79), "-".repeat(79)] });
    show(wide("1"));
    painter.print("stays", terminal);
    terminal.narrow(40);
    // It is painted once more before its new width is known, and what is too wide is cut off.
    show(wide("2"));
    terminal.columns = 40;
    terminal.emit("resize");
    expect(shown.size?.columns).toBe(39);
    show(bars);
    expect(terminal.lines).toEqual(["stays", "file", "bar", "counts"]);
  });

  test.each([
    ["no columns", 0, 24],
    ["no size", 0, 0],
    ["a negative size", -1, -1],
  ])("draws for 80 columns where a terminal has %s", (_what, columns, rows) => {
    const { terminal, show, shown } = open(columns, rows);
    show({ kind: "waiting", text: "waiting for a source" });
    expect(terminal.lines).toEqual([expect.stringMatching(/^\S waiting for a source$/)]);
    show(bars);
    expect(shown.size).toEqual({ columns: 79, rows: 24 });
    expect(terminal.lines).toEqual(["file", "bar", "counts"]);
    expect(terminal.writes).toBeLessThanOrEqual(2);
  });

  test.each([1, 2, 3, 5, 10])("draws no more than fits into %d columns", (columns) => {
    const { terminal, show } = open(columns, 2);
    const waiting: Screen = { kind: "waiting", text: "waiting for a source" };
    show(waiting);
    show({ kind: "lines", lines: ["=".repeat(Math.max(1, columns - 1))] });
    show(waiting);
    expect(terminal.lines).toHaveLength(1);
    expect(terminal.text.length).toBeLessThanOrEqual(columns);
  });

  test("gives no more frames to a terminal that does not read, and the newest one when it reads again", () => {
    const { terminal, painter, show } = open();
    show(bars);
    Object.assign(terminal, { isBehind: true });
    const { writes } = terminal;
    show({ kind: "lines", lines: ["1", "2", "3", "4", "5"] });
    show({ kind: "lines", lines: ["6", "7", "8", "9"] });
    expect(terminal.writes).toBe(writes);
    Object.assign(terminal, { isBehind: false });
    show({ kind: "lines", lines: ["only"] });
    expect(terminal.lines).toEqual(["only"]);
    painter.close();
    expect([terminal.text, terminal.cursorVisible]).toEqual(["", true]);
  });

  test("draws nothing but ASCII where nothing else can be seen, as wide as ever", () => {
    const { terminal, show } = open(80, 24, false);
    show({ kind: "waiting", text: "waiting" });
    expect(terminal.text).toMatch(/^[-\\|/] waiting$/);
    show({ kind: "lines", lines: ["\x1b[2m写真/é…\x1b[22m end"] });
    expect(terminal.text).toBe("????/?~ end");
  });

  test("makes room for lines of another stream where its own output is only taken for a terminal", () => {
    const { terminal, painter, show } = open();
    Object.assign(terminal, { isAssumed: true });
    show(bars);
    painter.print("warning", { write: (text) => terminal.write(text) });
    expect(terminal.lines).toEqual(["warning", "file", "bar", "counts"]);
    expect([terminal.cursorVisible, terminal.wrapping]).toEqual([false, false]);
  });

  test("prints to another stream without touching the screen", () => {
    const { terminal, painter, show } = open();
    show(bars);
    const before = terminal.writes;
    let said = "";
    painter.print("warning", { write: (text) => (said += text) });
    expect(said).toBe("warning\n");
    expect(terminal.writes).toBe(before);
  });
});

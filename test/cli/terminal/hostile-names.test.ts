import { writeFileSync } from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import { PlainPresenter } from "../../../src/cli/terminal/plain-presenter.ts";
import { sinkView } from "../../../src/cli/view/sink-view.ts";
import { sourceView } from "../../../src/cli/view/source-view.ts";
import { PLAIN_STYLE } from "../../../src/cli/view/text/style.ts";
import { runSink } from "../../../src/sink/sink.ts";
import { runSource } from "../../../src/source/source.ts";
import { coordinatorOf } from "../../coordinator/coordinator-fixture.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { expectEqualTrees } from "../../helpers/trees/tree-judge.ts";
import { memoryIo } from "./memory-io.ts";
import { TerminalScreen } from "./terminal-screen.ts";

/** Would take away the line above, and say something else in its place. */
const TAKES_AWAY = "\x1b[1A\x1b[2Kall is well\n";
const NAMES = [
  TAKES_AWAY,
  ...["two\nlines", "back\rover", "bell\x07", "c1 \u009b2J", "title \x1b]0;owned\x07", "tab\there"],
  ...["bidi \u202etxt.exe", "zero\u200bwidth", "line\u2028separator", "back\\slash", "-rf", "fancy \u{1f4c4}"],
].map((name) => Buffer.from(name));
const NOT_UTF8 = Buffer.from([0x61, 0xff, 0x9b, 0x32, 0x4a]);
/** Control, format and separator characters: none of them is for a terminal but the end of a line. */
const UNSAFE = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
const MODE = { kind: "plain", verbose: true, colour: false } as const;

test("a name written as it is would take away a line of the terminal", () => {
  const terminal = new TerminalScreen(80);
  terminal.write(`first\n${TAKES_AWAY}`);
  expect(terminal.text).toBe("all is well");
});

test("hostile names of files do nothing to the terminals of source and sink", async () => {
  const [tree, folder] = [tempFolder(), tempFolder()];
  for (const name of [...NAMES, NOT_UTF8]) writeFileSync(Buffer.concat([Buffer.from(`${tree}/`), name]), "x");
  const coordinator = await coordinatorOf();
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const options = { coordinator: `localhost:${coordinator.port}`, fileEvents: true, signal: stop.signal };
  const sink = runSink({ ...options, folder });
  const source = runSource({ ...options, folder: tree, stateDir: tempFolder() });
  const [atSink, atSource] = [memoryIo(), memoryIo()];
  const shown = [
    show(sink.events(), new PlainPresenter(sinkView, { io: atSink, mode: MODE, style: PLAIN_STYLE })),
    show(source.events(), new PlainPresenter(sourceView, { io: atSource, mode: MODE, style: PLAIN_STYLE })),
  ];
  await Promise.all([source.result, sink.result]);
  await Promise.all(shown);
  for (const { stdout, stderr } of [atSink, atSource]) {
    const text = stdout.text + stderr.text;
    expect(text).not.toMatch(UNSAFE);
    const terminal = new TerminalScreen(400);
    terminal.write(`first\n${text}`);
    expect(terminal.lines).toHaveLength(text.split("\n").length);
    expect(terminal.lines[0]).toBe("first");
    for (const part of ["\\x1b[1A\\x1b[2Kall is well\\n", "back\\\\slash", "bidi \\u{202e}", "a\\xff"])
      expect(terminal.text).toContain(part);
  }
  await expectEqualTrees(tree, folder);
});

async function show<Event>(
  events: AsyncIterable<Event>,
  presenter: { readonly take: (event: Event) => void },
): Promise<void> {
  for await (const event of events) presenter.take(event);
}

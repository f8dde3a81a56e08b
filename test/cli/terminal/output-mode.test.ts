import { describe, expect, test } from "vitest";
import { resolveOutputMode } from "../../../src/cli/terminal/output-mode.ts";
import { speaksUnicode } from "../../../src/cli/view/text/style.ts";
import { MemoryOutput } from "./memory-io.ts";
import { TerminalScreen } from "./terminal-screen.ts";

const terminal = new TerminalScreen();

describe("resolveOutputMode()", () => {
  test("draws a screen with colours on a terminal", () => {
    expect(resolveOutputMode({}, { stdout: terminal, env: {} })).toEqual({
      kind: "terminal",
      verbose: false,
      colour: true,
    });
  });

  test("prints plain lines anywhere else, and on a terminal that can do no more", () => {
    expect(resolveOutputMode({}, { stdout: new MemoryOutput(), env: {} })).toMatchObject({
      kind: "plain",
      colour: false,
    });
    expect(resolveOutputMode({}, { stdout: terminal, env: { TERM: "dumb" } })).toMatchObject({
      kind: "plain",
      colour: false,
    });
  });

  test("has no colours with --no-color and with NO_COLOR, unless that is empty", () => {
    expect(resolveOutputMode({ color: false }, { stdout: terminal, env: {} }).colour).toBe(false);
    expect(resolveOutputMode({}, { stdout: terminal, env: { NO_COLOR: "1" } }).colour).toBe(false);
    expect(resolveOutputMode({}, { stdout: terminal, env: { NO_COLOR: "" } }).colour).toBe(true);
  });

  test("has colours with FORCE_COLOR anywhere, also with NO_COLOR, but not with --no-color", () => {
    const anywhere = new MemoryOutput();
    expect(resolveOutputMode({}, { stdout: anywhere, env: { FORCE_COLOR: "1" } }).colour).toBe(true);
    expect(resolveOutputMode({}, { stdout: anywhere, env: { FORCE_COLOR: "", NO_COLOR: "1" } }).colour).toBe(true);
    expect(resolveOutputMode({}, { stdout: terminal, env: { FORCE_COLOR: "0" } }).colour).toBe(false);
    expect(resolveOutputMode({ color: false }, { stdout: terminal, env: { FORCE_COLOR: "1" } }).colour).toBe(false);
  });

  test("does what --progress says, wherever it prints; --json and --quiet come before it", () => {
    const anywhere = new MemoryOutput();
    const dumb = { stdout: terminal, env: { TERM: "dumb" } };
    expect(resolveOutputMode({ progress: "bar" }, { stdout: anywhere, env: {} }).kind).toBe("terminal");
    expect(resolveOutputMode({ progress: "bar" }, dumb).kind).toBe("terminal");
    expect(resolveOutputMode({ progress: "auto" }, { stdout: anywhere, env: {} }).kind).toBe("plain");
    expect(resolveOutputMode({ progress: "plain" }, { stdout: terminal, env: {} }).kind).toBe("plain");
    expect(resolveOutputMode({ progress: "none" }, { stdout: terminal, env: {} }).kind).toBe("none");
    expect(resolveOutputMode({ progress: "bar", json: true }, { stdout: terminal, env: {} }).kind).toBe("json");
    expect(resolveOutputMode({ progress: "bar", quiet: true }, { stdout: terminal, env: {} }).kind).toBe("quiet");
  });

  test("obeys --json and --quiet on a terminal, too", () => {
    expect(resolveOutputMode({ json: true }, { stdout: terminal, env: {} }).kind).toBe("json");
    expect(resolveOutputMode({ quiet: true }, { stdout: terminal, env: {} }).kind).toBe("quiet");
  });
});

test("speaksUnicode() believes the locale, and else hopes for the best", () => {
  expect(speaksUnicode({ LANG: "de_DE.UTF-8" })).toBe(true);
  expect(speaksUnicode({})).toBe(true);
  expect(speaksUnicode({ LC_ALL: "C", LANG: "de_DE.UTF-8" })).toBe(false);
  expect(speaksUnicode({ LANG: "de_DE.UTF-8", TERM: "linux" })).toBe(false);
});

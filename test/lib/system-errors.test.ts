import { mkdirSync, openSync, readdirSync, readFileSync, rmdirSync, symlinkSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { constants } from "node:os";
import { join } from "node:path";
import { getSystemErrorMessage, getSystemErrorName } from "node:util";
import { describe, expect, test } from "vitest";
import { FanfoldError, reasonOf } from "../../src/lib/errors.ts";
import { tempFolder } from "../helpers/disks/temp-folder.ts";
import { freePort } from "../helpers/free-ports.ts";
import { thrown } from "../helpers/thrown.ts";

const SYSTEM_CODE = /\bE[A-Z]{3,}\b/;

describe("reasonOf()", () => {
  test("says in words why a call on the disk failed", () => {
    const folder = tempFolder();
    const at = (name: string) => join(folder, name);
    writeFileSync(at("file"), "");
    mkdirSync(at("full/inner"), { recursive: true });
    symlinkSync("loop", at("loop"));
    const cases: readonly (readonly [call: () => unknown, words: string])[] = [
      [() => openSync(at("missing"), "r"), "no such file or directory"],
      [() => readFileSync(folder), "it is a directory"],
      [() => readdirSync(at("file/below")), "a part of its path is not a directory"],
      [() => openSync(at("loop"), "r"), "its symbolic links form a circle, or there are too many"],
      [() => openSync(at("n".repeat(300)), "r"), "its name is too long for the system"],
      [() => mkdirSync(at("full")), "something is there already"],
      [() => rmdirSync(at("full")), "the directory is not empty"],
    ];
    for (const [call, words] of cases) expect(reasonOf(thrown(call))).toBe(words);
  });

  test("has no code in it, whatever the code of the system is", () => {
    for (const number of Object.values(constants.errno)) {
      const code = getSystemErrorName(-number);
      const message = `${code}: ${getSystemErrorMessage(-number)}, open '/x'`;
      const error = Object.assign(new Error(message), { code, errno: -number, syscall: "open", path: "/x" });
      expect(reasonOf(error), code).not.toMatch(SYSTEM_CODE);
      expect(reasonOf(error), code).toMatch(/^[a-z]/);
      expect(FanfoldError.from(error).message, code).not.toMatch(SYSTEM_CODE);
      expect(reasonOf(new Error(`a library got ${code}`))).not.toMatch(/\b(ENOENT|EPIPE|ECONNRESET|EMFILE)\b/);
    }
  });

  test("of a connection tells what the other side did", async () => {
    const port = await freePort();
    const failure = async (): Promise<unknown> =>
      await new Promise((resolve) => connect(port, "127.0.0.1").on("error", resolve));
    expect(reasonOf(await failure())).toBe("connection refused: nothing listens there");
    using ending = new DisposableStack();
    const server = createServer((socket) => void socket.resetAndDestroy());
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", () => resolve()));
    ending.defer(() => void server.close());
    expect(reasonOf(await failure())).toBe("the other side broke the connection");
    expect(reasonOf(Object.assign(new Error("write EPIPE"), { code: "EPIPE", syscall: "write" }))).toBe(
      "the other side has closed the connection",
    );
  });

  test("of several failed attempts is that of the first one", () => {
    const refused = Object.assign(new Error("connect ECONNREFUSED ::1:7337"), { code: "ECONNREFUSED" });
    const both = Object.assign(new AggregateError([refused, new Error("other")]), { code: "ECONNREFUSED" });
    expect(reasonOf(both)).toBe("connection refused: nothing listens there");
  });

  test("leaves the words of an error that has its own", () => {
    const own = Object.assign(new Error("a link stands there"), { code: "EEXIST", syscall: "mkdir" });
    expect(reasonOf(own)).toBe("a link stands there");
    expect(reasonOf(new FanfoldError("damaged", "text"))).toBe("text");
    expect(reasonOf(new Error(""))).toBe("no reason given");
    expect(reasonOf("a string")).toBe("a string");
  });
});

test("FanfoldError.from() names the file, unless its path says nothing to a person", () => {
  expect(FanfoldError.from(thrown(() => openSync("/no/such", "r"))).message).toBe(
    'no such file or directory ("/no/such")',
  );
  const inner = FanfoldError.from(thrown(() => openSync("/proc/self/fd/99999/x", "r")));
  expect([inner.code, inner.message]).toEqual(["disk-failed", "no such file or directory"]);
});

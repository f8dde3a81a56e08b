import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { FanfoldError } from "../../../src/lib/errors.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import { openSinkFolder } from "../../../src/sink/own/sink-folder.ts";
import { verifyFolder } from "../../../src/sink/verify/verify.ts";
import { copiedTree, flipByte } from "../../helpers/copies/verified.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";

async function codeOf(run: Promise<unknown>): Promise<string> {
  return run.then(
    () => "nothing",
    (thrown: unknown) => FanfoldError.from(thrown).code,
  );
}

describe("verifyFolder() refuses", () => {
  test("what is no folder with a manifest", async () => {
    const folder = tempFolder();
    writeFileSync(join(folder, "file"), "");
    const { signal } = new AbortController();
    const code = (name: string) => codeOf(verifyFolder({ folder: join(folder, name), signal }).result);
    expect(await code("missing")).toBe("folder-missing");
    expect(await code("file")).toBe("folder-not-a-directory");
    expect(await code("file/below")).toBe("folder-not-a-directory");
    expect(await code(".")).toBe("manifest-missing");
    expect(readdirSync(folder)).toEqual(["file"]);
    mkdirSync(join(folder, ".fanfold"));
    expect(await code(".")).toBe("manifest-missing");
    writeFileSync(join(folder, ".fanfold/manifest"), "something else");
    expect(await code(".")).toBe("manifest-damaged");
    rmSync(join(folder, ".fanfold/manifest"));
    symlinkSync("elsewhere", join(folder, ".fanfold/manifest"));
    expect(await code(".")).toBe("manifest-damaged");
    rmSync(join(folder, ".fanfold"), { recursive: true });
    symlinkSync(tempFolder(), join(folder, ".fanfold"));
    expect(await code(".")).toBe("manifest-damaged");
  });

  test("a manifest that is cut off or altered in its middle", async () => {
    const sink = copiedTree();
    const path = join(sink, ".fanfold/manifest");
    const good = readFileSync(path);
    writeFileSync(path, good.subarray(0, good.length - 1));
    const { signal } = new AbortController();
    const failed = verifyFolder({ folder: sink, signal }).result;
    await expect(failed).rejects.toMatchObject({ code: "manifest-damaged", message: expect.stringContaining(sink) });
    writeFileSync(path, good);
    flipByte(path, 300);
    expect(await codeOf(verifyFolder({ folder: sink, signal }).result)).toBe("manifest-damaged");
  });

  test("a folder that a sink works in, and lets others verify it beside", async () => {
    const sink = copiedTree();
    const { signal } = new AbortController();
    {
      using _held = openSinkFolder(sink, systemRandom);
      expect(await codeOf(verifyFolder({ folder: sink, signal }).result)).toBe("folder-busy");
    }
    const both = [verifyFolder({ folder: sink, signal }), verifyFolder({ folder: sink, signal })];
    const results = await Promise.all(both.map((run) => run.result));
    expect(results.map(({ result }) => result)).toEqual(["equal", "equal"]);
    using _again = openSinkFolder(sink, systemRandom);
  });

  test("to go on once it is aborted, and lets go of the folder", async () => {
    const sink = copiedTree();
    const stop = new AbortController();
    const run = verifyFolder({ folder: sink, signal: stop.signal });
    for await (const event of run.events())
      if (event.type === "verifying") stop.abort(new FanfoldError("interrupted", "x"));
    expect(await codeOf(run.result)).toBe("interrupted");
    using _free = openSinkFolder(sink, systemRandom);
  });
});

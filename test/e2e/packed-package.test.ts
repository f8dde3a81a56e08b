import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { tempFolder as longLivedFolder } from "../helpers/brokers/broker-process.ts";
import { tempFolder } from "../helpers/disks/temp-folder.ts";
import { type Packed, packProject, runToItsEnd } from "../helpers/processes/packed.ts";
import { E2E_MS } from "./copying.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** Larger than what is in it by a third: source maps, or something else that nobody needs, would be seen. */
const UNPACKED_BYTES_MAX = 8 * 1024 * 1024;

/** Runs a program of somebody who has installed the package, and gives what it printed, read as JSON. */
function runProgram({ folder }: Packed, code: string): unknown {
  const state = tempFolder();
  writeFileSync(join(folder, "program.mjs"), code);
  const env = { PATH: process.env["PATH"], HOME: state, XDG_STATE_HOME: state };
  const { stdout, stderr } = spawnSync(process.execPath, ["program.mjs"], { cwd: folder, env, encoding: "utf8" });
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout);
}

describe("the package that npm makes", { timeout: E2E_MS }, () => {
  let packed: Packed;
  beforeAll(async () => {
    const { path, remove } = await longLivedFolder("package");
    packed = packProject(path);
    return remove;
  }, E2E_MS);

  test("holds the programs, their types and the pages for users, and nothing else", () => {
    const { files, unpackedBytes } = packed;
    for (const file of ["bin/fanfold.cjs", "dist/app/index.cjs", "dist/app/cli.cjs", "dist/index.d.ts", "README.md"])
      expect(files).toContain(file);
    expect(files).toContain("docs/exit-status.md");
    const tops = new Set(files.map((file) => file.split("/", 1)[0]));
    expect([...tops].sort()).toEqual([
      "CHANGELOG.md",
      "LICENSE",
      "README.md",
      "bin",
      "dist",
      "docs",
      "examples",
      "package.json",
      "packaging",
    ]);
    expect(
      files.filter(
        (file) => /\.map$|\.ts$|^docs\/(decisions|testing)/.test(file) && !/\.d\.ts$|^examples\//.test(file),
      ),
    ).toEqual([]);
    expect(unpackedBytes).toBeLessThan(UNPACKED_BYTES_MAX);
  });

  test("copies with the least of options: folders and a coordinator", () => {
    const source = tempFolder();
    const sink = join(tempFolder(), "copy");
    writeFileSync(join(source, "file"), "content");
    const found = runProgram(
      packed,
      `import { openCoordinator, runSink, runSource, verifyFolder } from "fanfold";
      await using hub = await openCoordinator({ port: 0 });
      const coordinator = hub.addresses[0];
      await using sink = runSink({ coordinator, folder: ${JSON.stringify(sink)} });
      await using source = runSource({ coordinator, folder: Buffer.from(${JSON.stringify(source)}) });
      const [{ result }, { outcome }] = await Promise.all([source.result, sink.result]);
      await using check = verifyFolder({ folder: ${JSON.stringify(sink)} });
      console.log(JSON.stringify([result, outcome, (await check.result).result]));`,
    );
    expect(found).toEqual(["complete", "proven", "equal"]);
    expect(readFileSync(join(sink, "file"), "utf8")).toBe("content");
  });

  test("names the option that cannot be used, as a fault of its caller", () => {
    const found = runProgram(
      packed,
      `import * as fanfold from "fanfold";
      const calls = [
        ["runSource", { folder: "x", destCount: 0 }], ["runSource", { folder: "x", destCont: 2 }], ["runSource", {}],
        ["runSource", undefined], ["runSource", { folder: "" }], ["runSource", { folder: "x", signal: {} }],
        ["runSource", { folder: "x", filters: [{ exclude: 1 }] }], ["runSource", { folder: "x\\ud800" }],
        ["runSink", { folder: 1 }], ["runSink", { folder: "x", durability: "always" }],
        ["verifyFolder", { folder: "x", strict: "yes" }], ["cancelSession", { folder: "x", session: "a b" }],
        ["openCoordinator", { port: 70000 }],
      ];
      const said = [];
      for (const [name, options] of calls) {
        try { await fanfold[name](options); said.push("nothing"); }
        catch (error) { said.push([error instanceof fanfold.FanfoldError, error.code, error.message]); }
      }
      console.log(JSON.stringify(said));`,
    );
    const options = ["destCount", "destCont", "folder", undefined, "folder", "signal", "filters.0", "folder"];
    const wanted = [...options, "folder", "durability", "strict", "session", "port"].map((option) => [
      true,
      "usage",
      option === undefined ? expect.stringContaining("one object") : expect.stringContaining(`option "${option}`),
    ]);
    expect(found).toEqual(wanted);
  });

  test("has types that demand a folder, and take what its programs take", () => {
    const use = `import { openCoordinator, runSink, runSource, verifyFolder, type RunSourceOptions } from "fanfold";
      const options: RunSourceOptions = { folder: "x" };
      runSource({ ...options, folder: new Uint8Array(1), stragglers: "wait", signal: AbortSignal.timeout(1) });
      const { outcome } = await runSink({ folder: "x" }).result;
      // @ts-expect-error: no such outcome
      export const isLost = outcome === "lost";
      for await (const event of verifyFolder({ folder: "x" }).events()) if (event.type === "finished") event.counts;
      (await openCoordinator()).port.toFixed();
      // @ts-expect-error: a folder is needed
      runSource({});
      // @ts-expect-error: no such option
      runSink({ folder: "x", destCount: 2 });
      // @ts-expect-error: no such policy
      runSource({ folder: "x", stragglers: "leave" });
      // @ts-expect-error: a number
      openCoordinator({ port: "7337" });
`;
    const compilerOptions = {
      ...{ target: "es2024", lib: ["es2024", "esnext.disposable"], module: "nodenext", types: ["node"] },
      ...{ strict: true, exactOptionalPropertyTypes: true, noEmit: true },
    };
    writeFileSync(join(packed.folder, "use.mts"), use);
    writeFileSync(join(packed.folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["use.mts"] }));
    expect(
      runToItsEnd(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), "-p", "."], packed.folder),
    ).toBe("");
  });
});

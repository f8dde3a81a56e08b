import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { Directories } from "../../../src/lib/disk/directories.ts";
import { loadNative } from "../../../src/lib/disk/native.ts";
import type { Native } from "../../../src/lib/disk/native-calls.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import { lockOwnFolder } from "../../../src/sink/own/own-lock.ts";
import { openSinkFolder } from "../../../src/sink/own/sink-folder.ts";
import type { OwnLock } from "../../../src/sink/own/sqlite-lock.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { thrownCode } from "../../helpers/thrown.ts";

const PROGRAM = fileURLToPath(new URL("../../helpers/processes/hold-lock-program.ts", import.meta.url));
const isLinux = process.platform === "linux";
const lockers = [...(isLinux ? (["native"] as const) : []), "sqlite"] as const;
type Locker = (typeof lockers)[number];
type Kind = "read" | "write";

let folder = "";
beforeEach(() => {
  folder = tempFolder();
  mkdirSync(join(folder, ".fanfold"));
});

/** What comes of it in this process: `taken` is let go of at the end of the test, or when asked. */
function take(locker: Locker, kind: Kind, native = nativeOf(locker)): Taken {
  using directories = Directories.open(Buffer.from(folder), process.platform);
  const lock = lockOwnFolder(directories, { kind, folder, native });
  let isHeld = true;
  const free = (): void => {
    if (isHeld && lock !== undefined && lock !== false) lock[Symbol.dispose]();
    isHeld = false;
  };
  onTestFinished(free);
  const got = lock === undefined ? "nothing" : lock === false ? "refused" : "taken";
  return { got, lock: lock === false ? undefined : lock, free };
}

interface Taken {
  readonly got: string;
  readonly lock: OwnLock | undefined;
  readonly free: () => void;
}

/** The file of the lock of this folder. */
const lockFile = (): string =>
  join(folder, `.fanfold/lock-${statSync(join(folder, ".fanfold"), { bigint: true }).ino}`);

function got(locker: Locker, kind: Kind): string {
  const { got, free } = take(locker, kind);
  free();
  return got;
}

function nativeOf(locker: Locker): Native | undefined {
  const native = loadNative();
  if (locker === "native" && native === undefined) throw new Error("no native calls on this machine");
  return locker === "native" ? native : undefined;
}

/** Another process that holds it. Disposing kills that. */
async function holder(locker: Locker, kind: Kind): Promise<AsyncDisposable> {
  const env = { ...process.env, FANFOLD_NATIVE: locker === "native" ? "1" : "0" };
  const child = spawn(process.execPath, [PROGRAM, folder, kind], { env, stdio: ["ignore", "pipe", "inherit"] });
  const end = async (): Promise<void> => {
    const ended = once(child, "close");
    if (child.kill("SIGKILL")) await ended;
  };
  onTestFinished(end);
  const [said] = (await once(child.stdout, "data")) as [Buffer];
  expect(said.toString()).toBe("taken\n");
  return { [Symbol.asyncDispose]: end };
}

describe.each(lockers.flatMap((one) => lockers.map((other) => [one, other] as const)))(
  "a lock that a process took by %s calls, seen by %s calls of another one:",
  (one, other) => {
    test("who writes is alone, until that process is killed", async () => {
      {
        await using _held = await holder(one, "write");
        expect([got(other, "write"), got(other, "read"), got(other, "write")]).toEqual([
          "refused",
          "refused",
          "refused",
        ]);
      }
      expect(got(other, "write")).toBe("taken");
    });

    test("those who read are there together, and keep out who writes", async () => {
      writeFileSync(lockFile(), "");
      {
        await using _held = await holder(one, "read");
        expect([got(other, "write"), got(other, "read"), got(other, "write")]).toEqual(["refused", "taken", "refused"]);
      }
      expect(got(other, "write")).toBe("taken");
    });
  },
);

describe.each(lockers)("a lock taken by %s calls", (locker) => {
  test("is held against the same process, too, which by asking frees nothing", async () => {
    const first = take(locker, "write");
    expect([got(locker, "write"), got(locker, "read"), got(locker, "write")]).toEqual([
      "refused",
      "refused",
      "refused",
    ]);
    const program = spawnSync(process.execPath, [PROGRAM, folder, "write"], { timeout: 60_000, killSignal: "SIGKILL" });
    expect(String(program.stdout)).toBe("false\n");
    first.free();
    const readers = [take(locker, "read"), take(locker, "read")];
    for (const reader of readers) {
      expect([reader.got, got(locker, "write")]).toEqual(["taken", "refused"]);
      reader.free();
    }
    expect(got(locker, "write")).toBe("taken");
  });

  test("makes an empty file for its owner alone, and nothing else", () => {
    const lock = take(locker, "write");
    for (const end of [lock.free, () => undefined]) {
      const stats = statSync(lockFile());
      expect([lock.got, stats.size, stats.mode & 0o777]).toEqual(["taken", 0, 0o600]);
      expect(readdirSync(join(folder, ".fanfold"))).toEqual([basename(lockFile())]);
      end();
    }
  });

  test("is lent to those who read, kept from those who write, and taken back when nobody reads", () => {
    const lent = take(locker, "write");
    lent.lock?.share();
    expect([got(locker, "read"), got(locker, "write")]).toEqual(["taken", "refused"]);
    const reader = take(locker, "read");
    expect([lent.lock?.claim(), got(locker, "write")]).toEqual([false, "refused"]);
    reader.free();
    expect([lent.lock?.claim(), lent.lock?.claim(), got(locker, "read")]).toEqual([true, true, "refused"]);
    lent.lock?.share();
    lent.free();
    expect(got(locker, "write")).toBe("taken");
  });

  test("belongs to its directory alone: a copy of the folder, even one of hard links, has another lock", () => {
    const lock = take(locker, "write");
    expect(lock.got).toBe("taken");
    const original = folder;
    for (const how of ["-al", "-a"]) {
      folder = join(tempFolder(), "copy");
      execFileSync("cp", [how, original, folder]);
      expect([got(locker, "read"), got(locker, "write")]).toEqual(["taken", "taken"]);
      openSinkFolder(folder, systemRandom)[Symbol.dispose]();
      expect(readdirSync(join(folder, ".fanfold")).toSorted()).toEqual(["facts", basename(lockFile())]);
    }
    folder = original;
    expect(got(locker, "write")).toBe("refused");
  });

  test("is not taken on what is not a regular file", () => {
    mkdirSync(lockFile());
    expect(thrownCode(() => take(locker, "write"))).toBe("folder-denied");
  });
});

test.skipIf(!isLinux)("a lock by native calls looks at no file but its own: a journal beside it stays", () => {
  for (const suffix of ["journal", "wal"]) writeFileSync(`${lockFile()}-${suffix}`, "of somebody else");
  expect(take("native", "write").got).toBe("taken");
  expect(readdirSync(join(folder, ".fanfold")).toSorted()).toEqual(
    ["", "-journal", "-wal"].map((suffix) => basename(lockFile()) + suffix),
  );
});

test.skipIf(!isLinux)("a system that does not know the call is asked by SQLite, for the same lock", () => {
  const refuses = {
    ...nativeOf("native"),
    lockRange: () => {
      throw Object.assign(new Error("EINVAL"), { code: "EINVAL", syscall: "fcntl" });
    },
  } as unknown as Native;
  expect(take("native", "write", refuses).got).toBe("taken");
  // To open the file anew, and close it, would free the lock.
  expect(take("native", "write", refuses).got).toBe("refused");
  const program = spawnSync(process.execPath, [PROGRAM, folder, "write"], { timeout: 60_000, killSignal: "SIGKILL" });
  expect(String(program.stdout)).toBe("false\n");
});

import { chmodSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { foldingKinds, mountFolding } from "../../helpers/disks/folding-disk.ts";
import { mountSmallDisk, smallDisksAvailable } from "../../helpers/disks/small-disk.ts";
import { CliLab } from "../../helpers/processes/cli.ts";
import { permissionsTestable } from "../../helpers/processes/programs.ts";
import { E2E_MS, expectCopy } from "../copying.ts";
import { examined } from "./examined.ts";

/** Every name in a folder, its own state included. */
function namesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
}

describe("fanfold doctor at folders", { timeout: E2E_MS }, () => {
  test("tries a sink's folder, and leaves nothing in it", async () => {
    await using lab = await CliLab.open("open");
    mkdirSync(lab.path("sink"));
    writeFileSync(lab.path("sink", "there"), "before");
    const { of, named, status } = await examined(lab, ["--sink", lab.path("sink")]);
    expect(namesIn(lab.path("sink"))).toEqual(["there"]);
    expect(named("ok")).toEqual(
      expect.arrayContaining(["sink-folder", "space", "inodes", "letter-case", "hard-links", "sync", "locks"]),
    );
    expect(of("sink-lock").found).toBe("no sink has worked in it yet");
    expect([named("error"), status]).toEqual([[], 0]);
  });

  test("is of no harm to a sink that waits in the folder, and says that it is there", async () => {
    await using lab = await CliLab.open("open");
    mkdirSync(lab.path("source"));
    writeFileSync(lab.path("source", "file"), "content");
    const { address } = await lab.coordinator();
    const sink = lab.sink(address, lab.path("sink"));
    await sink.event("waiting");
    const before = namesIn(lab.path("sink"));
    const { of, named } = await examined(lab, ["--coordinator", address, "--sink", lab.path("sink")]);
    expect(of("sink-lock").found).toBe("a sink waits in it now, or a check reads it");
    expect(named("error")).toEqual([]);
    expect(namesIn(lab.path("sink"))).toEqual(before);
    const source = lab.source(address, lab.path("source"));
    expect([await source.exit(), await sink.exit()]).toEqual([0, 0]);
    await expectCopy(lab.path("source"), lab.path("sink"));
    expect((await examined(lab, ["--sink", lab.path("sink")])).of("sink-lock").found).toBe("no sink works in it now");
  });

  test("takes a folder that the sink would make, and none that it could not", async () => {
    await using lab = await CliLab.open("open");
    const absent = await examined(lab, ["--sink", lab.path("a", "b")]);
    expect(absent.of("sink-folder")).toMatchObject({
      status: "ok",
      found: expect.stringContaining("the sink makes it"),
    });
    expect(absent.of("locks")).toMatchObject({ status: "skipped", found: "the folder is not there yet" });
    expect(namesIn(lab.folder)).not.toContain("a");
    writeFileSync(lab.path("file"), "");
    const file = await examined(lab, ["--sink", lab.path("file"), "--source", lab.path("file")]);
    expect(file.named("error")).toEqual(["source-folder", "sink-folder"]);
  });

  test("says that source and sink overlap, also by a link", async () => {
    await using lab = await CliLab.open("open");
    mkdirSync(lab.path("tree", "below"), { recursive: true });
    symlinkSync(lab.path("tree", "below"), lab.path("link"));
    const { named } = await examined(lab, ["--source", lab.path("tree"), "--sink", lab.path("link")]);
    expect(named("error")).toEqual(["overlap"]);
  });

  test.skipIf(!permissionsTestable())("says what may not be read, and what may not be filled", async () => {
    await using lab = await CliLab.open("open");
    for (const name of ["source", "closed", "sink"]) mkdirSync(lab.path(name));
    writeFileSync(lab.path("source", "secret"), "");
    chmodSync(lab.path("source", "secret"), 0);
    chmodSync(lab.path("closed"), 0);
    chmodSync(lab.path("sink"), 0o555);
    const unprivileged = { unprivileged: true };
    const some = await examined(lab, ["--source", lab.path("source"), "--sink", lab.path("sink")], unprivileged);
    expect(some.of("source-folder")).toMatchObject({
      status: "warning",
      found: expect.stringMatching(/^1 of the first 1 entry cannot be read, ".*\/secret" among them$/),
    });
    expect(some.of("sink-folder")).toMatchObject({
      status: "error",
      found: expect.stringContaining("permission denied"),
    });
    const none = await examined(lab, ["--source", lab.path("closed")], unprivileged);
    expect(none.of("source-folder").status).toBe("error");
  });

  describe.skipIf(!smallDisksAvailable())("on a small disk", () => {
    test("says that it is full, and that it is read-only", async () => {
      await using lab = await CliLab.open("open");
      using disk = mountSmallDisk(lab.path("disk"), 4);
      const empty = await examined(lab, ["--sink", disk.path]);
      expect(empty.of("space").status).toBe("ok");
      expect(empty.of("file-system").found).toBe("tmpfs");
      try {
        writeFileSync(`${disk.path}/fill`, Buffer.alloc(8 * 1024 * 1024));
      } catch {
        // That is meant: it is full now.
      }
      const full = await examined(lab, ["--sink", disk.path]);
      expect(full.of("space")).toMatchObject({ status: "error", todo: expect.stringContaining("free some space") });
      expect(full.status).toBe(36);
      disk.setReadOnly(true);
      const readOnly = await examined(lab, ["--sink", disk.path]);
      expect(readOnly.of("sink-folder")).toMatchObject({
        status: "error",
        found: expect.stringContaining("its file system is read-only"),
        todo: "mount it for writing, or name another folder",
      });
    });
  });

  test.each(foldingKinds())("says that %s takes two names for one", async (kind) => {
    await using lab = await CliLab.open("open");
    using disk = mountFolding(kind);
    const { of } = await examined(lab, ["--sink", disk.path]);
    expect(of("letter-case")).toMatchObject({ status: "warning", found: "upper and lower case are one name" });
  });

  test("says that few files may be open, and what is lacking without native calls", async () => {
    await using lab = await CliLab.open("open");
    const few = await examined(lab, [], { through: ["sh", "-c", 'ulimit -n 200; exec "$@"', "sh"] });
    expect(few.of("descriptors")).toMatchObject({
      status: "error",
      found: "200",
      todo: expect.stringContaining("ulimit"),
    });
    mkdirSync(lab.path("sink"));
    const without = await examined(lab, ["--sink", lab.path("sink")], { env: { FANFOLD_NATIVE: "0" } });
    expect(without.of("native-calls")).toMatchObject({ status: "warning", todo: "leave out FANFOLD_NATIVE" });
    expect(without.of("attributes").status).toBe("skipped");
  });

  test("prints for people what is wrong, what was wanted, and what to do", async () => {
    await using lab = await CliLab.open("open");
    const doctor = lab.start(["doctor", "--sink", lab.path("no\u001b[31m", "such"), "--broker", "http://x"], {
      plain: true,
    });
    expect(await doctor.exit()).toBe(36);
    expect(doctor.stdout).toMatch(
      /^error {3}broker .*\n {8}wanted: .*\n {8}to do: name the broker as the coordinator has it/m,
    );
    expect(doctor.stdout).toMatch(/\n1 error, \d+ ok, \d+ skipped\n$/);
    expect(doctor.stdout).not.toContain("\u001b");
  });
});

import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { mountSmallDisk, smallDisksAvailable } from "../../helpers/disks/small-disk.ts";
import { freePort } from "../../helpers/free-ports.ts";
import { CliLab, type StartOptions } from "../../helpers/processes/cli.ts";
import { permissionsTestable } from "../../helpers/processes/programs.ts";
import { E2E_MS } from "../copying.ts";

/** A code of the system, such as ENOENT: nobody has to know one. */
const SYSTEM_CODE = /\bE[A-Z]{3,}\b/;
const LONG = "n".repeat(300);
const NOWHERE = "localhost:1";

type Case = readonly [args: readonly string[], status: number, words: RegExp];

async function openLab(): Promise<CliLab> {
  const lab = await CliLab.open();
  writeFileSync(lab.path("file"), "");
  for (const name of ["tree", "closed"]) mkdirSync(lab.path(name));
  writeFileSync(lab.path("secret"), "user:password");
  symlinkSync("missing/target", lab.path("dangling"));
  symlinkSync("loop", lab.path("loop"));
  for (const name of ["closed", "secret"]) chmodSync(lab.path(name), 0);
  return lab;
}

/** Each of them ends by itself, at once, with its status and in plain words. */
async function expectWords(lab: CliLab, cases: readonly Case[], options: StartOptions = {}): Promise<void> {
  for (const [args, status, words] of cases) {
    const command = lab.start([...args], { plain: true, ...options });
    const title = args.join(" ");
    expect(await command.exit(), `${title}: ${command.stderr}`).toBe(status);
    expect(command.stderr, title).toMatch(words);
    expect(command.stderr, title).not.toMatch(SYSTEM_CODE);
    expect(command.stderr.trim().split("\n"), title).toHaveLength(1);
  }
}

/** What each command says of a directory that it cannot use. */
function folderCases(command: "source" | "sink" | "verify"): readonly Case[] {
  const at = command === "verify" ? [command] : [command, "--coordinator", NOWHERE];
  const missing = /no such directory|leads nowhere/;
  return [
    [[...at, "file"], 8, /it is not a directory/],
    [[...at, "file/below"], 8, /it is not a directory/],
    [[...at, "loop"], 8, /form a circle/],
    [[...at, LONG], 8, /too long/],
    [[...at, "dangling"], 8, missing],
    [[...at, "/proc/nothing"], 8, /no such directory|no directory can be made there/],
    ...(command === "sink" ? [] : ([[[...at, "missing"], 8, missing]] as const)),
  ];
}

describe.concurrent("no code of the system reaches a person", { timeout: E2E_MS }, () => {
  test.each(["source", "sink", "verify"] as const)("%s: a directory that cannot be used", async (command) => {
    await using lab = await openLab();
    await expectWords(lab, folderCases(command));
  });

  test("source: files and a state directory that cannot be used", async () => {
    await using lab = await openLab();
    const from = (file: string) => ["source", "--coordinator", NOWHERE, "--exclude-from", file, "tree"];
    const state = (folder: string) => ["source", "--coordinator", NOWHERE, "--state-dir", folder, "tree"];
    await expectWords(lab, [
      [from("missing"), 2, /--exclude-from "missing": no such file or directory$/m],
      [from("tree"), 2, /--exclude-from "tree": it is a directory/],
      [from("loop"), 2, /form a circle/],
      [from(LONG), 2, /too long/],
      [state("file"), 8, /a part of its path is not a directory; name another folder with --state-dir/],
      [state("dangling"), 8, /a symbolic link that leads nowhere is there/],
      [state("/proc/nothing"), 8, /no directory can be made there/],
      [state(LONG), 8, /too long/],
    ]);
  });

  test("coordinator: a state directory, files, a port and an address that cannot be used", async () => {
    await using lab = await openLab();
    const state = (folder: string) => ["coordinator", "--port", "0", "--state-dir", folder];
    const credentials = (file: string) => ["coordinator", "--port", "0", "--broker-credentials", file];
    const port = await freePort();
    using taken = new DisposableStack();
    const server = createServer().listen(port, "127.0.0.1");
    taken.defer(() => void server.close());
    await expectWords(lab, [
      [state("file"), 9, /it is not a directory/],
      [state("dangling"), 9, /a symbolic link that leads nowhere is there/],
      [state("/proc/nothing"), 9, /no directory can be made there/],
      [state(LONG), 9, /too long/],
      [credentials("missing"), 2, /no such file or directory/],
      [credentials("tree"), 2, /something else/],
      [credentials("loop"), 2, /form a circle/],
      [["coordinator", "--port", String(port)], 6, /another program uses this port/],
      [["coordinator", "--port", "0", "--host", "no-such-host.invalid"], 2, /this machine|no such host|resolve/],
      [["coordinator", "--port", "0", "--host", "192.0.2.1"], 2, /this machine does not have this address/],
    ]);
  });

  test.skipIf(!permissionsTestable())("all: what this user may not use", async () => {
    await using lab = await openLab();
    const source = ["source", "--coordinator", NOWHERE];
    await expectWords(
      lab,
      [
        [[...source, "closed"], 8, /permission denied/],
        [[...source, "--exclude-from", "secret", "tree"], 2, /permission denied/],
        [[...source, "--state-dir", "closed/state", "tree"], 8, /permission denied/],
        [["sink", "--coordinator", NOWHERE, "closed/new"], 8, /permission denied/],
        [["verify", "closed/new"], 8, /permission denied/],
        [["coordinator", "--port", "0", "--state-dir", "closed/new"], 9, /permission denied/],
        [["coordinator", "--port", "0", "--broker-credentials", "secret"], 2, /permission denied/],
      ],
      { unprivileged: true },
    );
  });

  test.skipIf(!smallDisksAvailable())("all: a disk that is full, and one that is read-only", async () => {
    await using lab = await openLab();
    using disk = mountSmallDisk(lab.path("disk"), 1);
    mkdirSync(lab.path("disk/folder"));
    expect(() => writeFileSync(lab.path("disk/all"), Buffer.alloc(2 * 1024 * 1024))).toThrow();
    const source = ["source", "--coordinator", NOWHERE, "--state-dir", "disk/source", "tree"];
    const sink = ["sink", "--coordinator", NOWHERE];
    const coordinator = ["coordinator", "--port", "0", "--state-dir", "disk/coordinator"];
    await expectWords(lab, [[[...sink, "disk/folder"], 9, /no space left/]]);
    await expectWords(lab, [[source, 8, /no space left/]]);
    await expectWords(lab, [[coordinator, 9, /no space left|disk is full|disk I\/O error/]]);
    disk.setReadOnly(true);
    await expectWords(lab, [
      [[...sink, "disk/new"], 9, /read-only/],
      [["source", "--coordinator", NOWHERE, "--state-dir", "disk/new", "tree"], 8, /read-only/],
      [["coordinator", "--port", "0", "--state-dir", "disk/new"], 9, /read-only/],
    ]);
  });

  test("a source whose temporary directory cannot be used says which, and what to do", async () => {
    await using lab = await openLab();
    const { address } = await lab.coordinator();
    for (const [folder, words] of [
      ["missing", /no such file or directory; set TMPDIR to a directory that this user may write in/],
      ["file", /a part of its path is not a directory; set TMPDIR to a directory that this user may write in/],
    ] as const) {
      const sink = lab.sink(address, lab.path(`sink-${folder}`));
      await sink.event("waiting");
      const source = lab.start(["source", "--coordinator", address, "tree"], {
        plain: true,
        env: { TMPDIR: lab.path(folder) },
      });
      expect(await source.exit()).toBe(9);
      expect(source.stderr).toMatch(words);
      expect(source.stderr).not.toMatch(SYSTEM_CODE);
      sink.signal("SIGTERM");
      await sink.exit();
    }
  });

  test("a coordinator that is killed and one that is not there are told in plain words", async () => {
    await using lab = await openLab();
    const { address, process: coordinator } = await lab.coordinator();
    const sink = lab.sink(address, lab.path("folder"), ["--connect-timeout", "5s"]);
    await sink.event("waiting");
    coordinator.signal("SIGKILL");
    expect(await sink.exit()).toBe(11);
    expect((await sink.failure()).message).toMatch(/connection/);
    expect(sink.stdout + sink.stderr).not.toMatch(SYSTEM_CODE);
  });
});

test("a sink that can make no directory ends at once, and so it does when it is told to stop", {
  timeout: E2E_MS,
}, async () => {
  await using lab = await CliLab.open();
  const sink = lab.sink(NOWHERE, "/proc/self/nothing/below");
  expect(await sink.exit()).toBe(8);
  expect(await sink.failure()).toMatchObject({ code: "folder-missing" });
});

import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { SinkEvent, SourceEvent } from "../../src/protocol/messages/events.ts";
import { CliLab } from "../helpers/processes/cli.ts";
import { permissionsTestable } from "../helpers/processes/programs.ts";
import { E2E_MS } from "./copying.ts";

/** The file of the user, whom all commands of a lab are. */
function writeUserFile(lab: CliLab, text: string): string {
  const folder = lab.path("home", ".config", "fanfold");
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/fanfold.toml`, text, { mode: 0o600 });
  return `${folder}/fanfold.toml`;
}

describe("a profile", { timeout: E2E_MS }, () => {
  test("makes a copy without anything else that is typed, and its filters and folders are those of the file", async () => {
    await using lab = await CliLab.open("open");
    const { address } = await lab.coordinator();
    mkdirSync(lab.path("home", "photos"));
    for (const name of ["a.jpg", "b.tmp", "keep.tmp"]) writeFileSync(lab.path("home", "photos", name), name);
    writeUserFile(
      lab,
      `[all]
coordinator = "${address}"
[profile.photos]
session = "photos"
directory = "~/photos"
folder = "../../../copy"
[profile.photos.source]
include = ["keep.tmp"]
exclude = ["*.tmp"]
max-delete = "10%"
receipt = "photos.receipts"
`,
    );
    const sink = lab.start<SinkEvent>(["sink", "--profile", "photos"], { env: { FANFOLD_NAME: "attic" } });
    const source = lab.start<SourceEvent>(["source", "--profile", "photos"], { env: { FANFOLD_EXPECT: "attic" } });
    expect(await source.exit()).toBe(0);
    expect(await sink.exit()).toBe(0);
    expect(readFileSync(lab.path("copy", "keep.tmp"), "utf8")).toBe("keep.tmp");
    expect(() => readFileSync(lab.path("copy", "b.tmp"))).toThrow("ENOENT");
    expect(readFileSync(lab.path("home", ".config", "fanfold", "photos.receipts"), "utf8")).not.toBe("");
    const verified = lab.start(["verify", "--profile", "photos"]);
    expect(await verified.exit()).toBe(0);
  });
});

describe("a configuration file that cannot be read", { timeout: E2E_MS }, () => {
  test.runIf(permissionsTestable())("ends the command: nobody knows what it forbids", async () => {
    await using lab = await CliLab.open("open");
    chmodSync(writeUserFile(lab, "no-delete = true"), 0o000);
    const sink = lab.start(["sink", lab.path("copy")], { plain: true, unprivileged: true });
    expect(await sink.exit()).toBe(35);
    expect(sink.stderr).toMatch(/^fanfold: cannot read the configuration .*: permission denied\n$/);
  });

  test("does not hold the command when it is a pipe", async () => {
    await using lab = await CliLab.open("open");
    execFileSync("mkfifo", [lab.path("pipe")]);
    const sink = lab.start(["sink", "--config", lab.path("pipe"), lab.path("copy")], { plain: true });
    expect(await sink.exit()).toBe(35);
    expect(sink.stderr).toContain("want a file");
  });
});

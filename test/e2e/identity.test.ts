import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { CliLab } from "../helpers/processes/cli.ts";
import { makeManyFiles } from "../helpers/trees/tree.ts";
import { copyAndCompare, E2E_MS } from "./copying.ts";

describe("the identity of a source", { timeout: E2E_MS }, () => {
  test("goes along with a directory that was copied elsewhere, when a file takes it there", async () => {
    await using lab = await CliLab.open();
    const [from, moved, to] = [lab.path("source"), lab.path("moved"), lab.path("sink")];
    makeManyFiles(from, 20);
    const { address } = await lab.coordinator();
    await copyAndCompare(lab, { address, from, to: [to] });
    execFileSync("cp", ["-a", from, moved]);

    const sink = lab.sink(address, to);
    const stranger = lab.source(address, moved);
    expect(await sink.exit()).toBe(5);
    const { code, message } = await sink.failure();
    expect(code).toBe("source-changed");
    expect(message).toMatch(
      /with the identity [0-9a-f-]{19}, and this source has the identity [0-9a-f-]{19}\..*"fanfold identity".*--identity/,
    );
    stranger.signal("SIGKILL");

    const file = lab.path("photos.identity");
    const written = lab.start(["identity", "export", from, file], { plain: true });
    expect(await written.exit(), written.shown()).toBe(0);
    const summary = await copyAndCompare(lab, {
      ...{ address, from: moved, to: [to], session: "again" },
      sourceArgs: ["--identity", file],
    });
    expect(summary).toMatchObject({ result: "unchanged" });
  });
});

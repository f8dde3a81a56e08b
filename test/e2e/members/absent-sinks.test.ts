import { describe, expect, test } from "vitest";
import { CliLab } from "../../helpers/processes/cli.ts";
import { makeManyFiles } from "../../helpers/trees/tree.ts";
import { E2E_MS, expectCopy, expectDocumentedEvents } from "../copying.ts";

const EXPECT = ["--expect", "alpha,beta,gamma"];
const SOME = ["--dest-count", "2..3", "--wait", "100ms"];

async function labWith(...names: readonly string[]) {
  const lab = await CliLab.open();
  makeManyFiles(lab.path("source"), 5);
  const { address } = await lab.coordinator();
  const sinks = names.map((name) => lab.sink(address, lab.path(name), ["--name", name]));
  for (const sink of sinks) await sink.event("waiting");
  return { lab, address, sinks, from: lab.path("source") };
}

describe.concurrent("fanfold source", { timeout: E2E_MS }, () => {
  test("starts with fewer sinks after the wait, names who is missing, and ends with 17", async () => {
    const { lab, address, sinks, from } = await labWith("alpha", "gamma");
    await using _ = lab;
    const source = lab.source(address, from, [...EXPECT, ...SOME]);
    expect(await source.exit()).toBe(17);
    for (const sink of sinks) expect(await sink.exit()).toBe(0);
    expect(await source.event("waiting")).toMatchObject({ needed: 3, missing: ["beta"] });
    expect(await source.event("started")).toMatchObject({ missing: ["beta"] });
    const { summary } = await source.event("finished");
    expect(summary).toMatchObject({ result: "sinks-missing", missing: ["beta"] });
    expect(summary.sinks.map(({ outcome }) => outcome)).toEqual(["proven", "proven"]);
    for (const name of ["alpha", "gamma"]) await expectCopy(from, lab.path(name));
    expectDocumentedEvents(source);
  });

  test("starts at once when all that are expected are there, and ends with 0", async () => {
    const { lab, address, from } = await labWith("alpha", "beta", "gamma");
    await using _ = lab;
    const source = lab.source(address, from, [...EXPECT, "--dest-count", "2..3", "--wait", "20d"]);
    expect(await source.exit()).toBe(0);
    const { summary } = await source.event("finished");
    expect(summary.result).toBe("complete");
    expect(summary).not.toHaveProperty("missing");
  });

  test("gives up when too few of those that are expected are there, names who is missing, and ends with 10", async () => {
    const { lab, address, from } = await labWith("alpha", "other");
    await using _ = lab;
    const source = lab.source(address, from, [...EXPECT, ...SOME]);
    expect(await source.exit()).toBe(10);
    const { code, message } = await source.event("error");
    expect(code).toBe("wait-timeout");
    expect(message).toMatch(/^too few sinks: 1 of 2 registered after 0.1 s \(.*\); missing: beta, gamma$/);
  });

  test("says on standard error who was missing, also with --quiet; enough of them are a success with --min-success", async () => {
    const { lab, address, from } = await labWith("alpha", "gamma");
    await using _ = lab;
    const args = [...EXPECT, ...SOME, "--min-success", "2", "--quiet"];
    const source = lab.source(address, from, args, { plain: true });
    expect(await source.exit()).toBe(0);
    expect(source.shown()).toContain("fanfold: warning: missing sinks, which got no copy in this session: beta");
  });

  test("refuses a range without a wait before it asks for anything", async () => {
    await using lab = await CliLab.open();
    const source = lab.source("127.0.0.1:1", lab.folder, ["--dest-count", "2..3"]);
    expect(await source.exit()).toBe(2);
  });
});

test(
  "a source with a mistyped session says where sinks wait, and such a sink where a source does",
  async () => {
    const { lab, address, sinks, from } = await labWith("alpha");
    await using _ = lab;
    const source = lab.source(address, from, ["--session", "foo"]);
    expect(await source.event("elsewhere")).toMatchObject({ session: "foo", sessions: ["default"] });
    expect(await sinks[0]?.event("elsewhere")).toMatchObject({ session: "default", sessions: ["foo"] });
    expectDocumentedEvents(source);
  },
  E2E_MS,
);

test(
  "sinks of one machine are called after their folders where its name is taken; a name that is asked for is heeded",
  async () => {
    const { lab, address, from } = await labWith();
    await using _ = lab;
    const names: string[] = [];
    for (const folder of ["backup 1", "backup-2"]) {
      const sink = lab.sink(address, lab.path(folder));
      names.push((await sink.event("joined")).name);
    }
    const source = lab.source(address, from, ["--dest-count", "3"]);
    names.push((await source.event("joined")).name);
    const [machine = ""] = names;
    expect(names.slice(1)).toEqual([`${machine}-backup-2`, `${machine}-source`]);
  },
  E2E_MS,
);

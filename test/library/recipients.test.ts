import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import {
  FanfoldError,
  openCoordinator,
  type RunSinkOptions,
  type RunSourceOptions,
  runSink,
  runSource,
} from "../../src/index.ts";
import { ageKeys } from "../helpers/copies/age-keys.ts";
import { tempFolder } from "../helpers/disks/temp-folder.ts";
import { expectEqualTrees } from "../helpers/trees/tree-judge.ts";

test("a program copies for recipients by keys, and files of them, as the commands do", async () => {
  const [key, other] = await ageKeys(2);
  const base = tempFolder();
  const [folder, copy, ageKeyFile, list] = [tempFolder(), tempFolder(), join(base, "age.key"), join(base, "keys.txt")];
  writeFileSync(join(folder, "file"), "of the source");
  writeFileSync(ageKeyFile, key.secretKey, { mode: 0o600 });
  writeFileSync(list, key.recipient);
  const stateDir = join(base, "state");
  const { signal } = new AbortController();
  const coordinator = await openCoordinator({ port: 0, stateDir: join(base, "coordinator"), signal });
  onTestFinished(() => coordinator.close());
  const at = { coordinator: `127.0.0.1:${coordinator.port}`, signal };
  await using sink = runSink({ ...at, folder: copy, ageKeyFile });
  await using source = runSource({ ...at, folder, stateDir, recipients: [other.recipient, list] });
  const started = (async () => {
    for await (const event of source.events()) if (event.type === "started") return event;
    return undefined;
  })();
  expect((await source.result).sinks).toMatchObject([{ outcome: "proven" }]);
  expect(await started).toMatchObject({ sealed: true, recipients: 2 });
  expect(await sink.result).toMatchObject({ outcome: "proven" });
  await expectEqualTrees(folder, copy);
});

test.each<[string, Partial<RunSourceOptions>, Partial<RunSinkOptions>]>([
  ["a key that is none", { recipients: ["age1x"] }, {}],
  ["a file that is missing", { recipients: ["/no/such/file"] }, {}],
  ["a session in the open", { recipients: ["age1x"], seal: "off" }, {}],
  ["a sink's file that is missing", {}, { ageKeyFile: "/no/such/file" }],
])("a program is told of %s as of any other option", async (_, source, sink) => {
  const { signal } = new AbortController();
  const common = { coordinator: "127.0.0.1:1", folder: tempFolder(), signal };
  await using run =
    Object.keys(source).length > 0 ? runSource({ ...common, ...source }) : runSink({ ...common, ...sink });
  const error = await run.result.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(FanfoldError);
  expect(error).toMatchObject({ code: "usage" });
});

import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { runSink } from "../../src/sink/sink.ts";
import { clientOf, coordinatorOf } from "../coordinator/coordinator-fixture.ts";
import { tempFolder } from "../helpers/temp-folder.ts";

test("a sink that cannot do a dry run leaves it, and changes nothing", async () => {
  const [coordinator, folder] = [await coordinatorOf(), tempFolder()];
  const source = await clientOf(coordinator);
  await source.enter("source", { dryRun: true });
  await using sink = runSink({
    coordinator: `127.0.0.1:${coordinator.port}`,
    folder,
    signal: new AbortController().signal,
  });
  await expect(sink.result).rejects.toMatchObject({ code: "refused", message: expect.stringContaining("dry run") });
  expect(readdirSync(folder)).toEqual([".fanfold"]);
});

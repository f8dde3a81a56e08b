import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ConfigLab } from "./config-lab.ts";

const page = readFileSync(new URL("../../../docs/configuration.md", import.meta.url), "utf8");
const [, example = ""] = /```toml\n([\s\S]*?)```/.exec(page) ?? [];

test("the example of docs/configuration.md is right, and says what it seems to say", async () => {
  using lab = new ConfigLab();
  const file = lab.writeUser(example);
  expect(await lab.run(["config", "check", file])).toMatchObject({
    status: 0,
    out: `${file}: nothing is wrong; 1 profile\n`,
  });
  const valuesOf = async (command: string): Promise<Record<string, unknown>> =>
    Object.fromEntries(
      [...(await lab.show([command, "--profile", "photos"]))].map(([name, { value }]) => [name, value]),
    );
  expect(await valuesOf("source")).toMatchObject({
    DIR: expect.stringMatching(/^\/.*\/photos$/),
    "--coordinator": "backup.example:7337",
    "--session": "photos",
    "--dest-count": "2..3",
    "--wait": "5m",
    "--wait-timeout": "10m",
    "--delete": true,
    "--exclude": ["*.tmp", "/build/"],
    "--token-file": file.replace("fanfold.toml", "photos.token"),
  });
  expect(await valuesOf("sink")).toMatchObject({
    "--session": "photos",
    "--name": "attic",
    "--stay": true,
    "--no-delete": true,
  });
  expect(await valuesOf("verify")).toMatchObject({ "--strict": true });
  expect(await valuesOf("coordinator")).toMatchObject({ "--host": "0.0.0.0", "--allow-host": "backup.example" });
});

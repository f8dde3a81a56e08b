import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { commandsPage } from "../../scripts/docs/commands-page.ts";
import { createProgram } from "../../src/cli/commands/program.ts";
import { visible } from "../../src/cli/completion/completion-model.ts";
import { systemClock } from "../../src/lib/clock.ts";

const page = readFileSync(new URL("../../docs/commands.md", import.meta.url), "utf8");

test("docs/commands.md is what `npm run docs` makes of the commands", () => {
  expect(page).toBe(commandsPage());
});

test("docs/commands.md has every option that `--help` of a command has", () => {
  const output = { write: () => true };
  const program = createProgram({ stdout: output, stderr: output, env: {}, clock: systemClock }, () => undefined);
  for (const command of visible(program).filter((each) => each.commands.length === 0)) {
    const section = page.split(/^## /m).find((part) => part.startsWith(`fanfold ${command.name()}\n`)) ?? "";
    const options = [...command.helpInformation().matchAll(/^ {2}((?:-\w, )?--[\w-]+)/gm)].map(([, option]) => option);
    expect(options.length).toBeGreaterThan(0);
    for (const option of options) expect(section).toContain(`\`${option}`);
  }
});

import { spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { main } from "../../../src/cli/main.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { programsAvailable } from "../../helpers/processes/programs.ts";
import { memoryIo } from "../terminal/memory-io.ts";

/** What the script offers for a line, one a line, and what the shell makes of it when it stands in a command. */
const ASK = `enable -n compopt
source ./script
COMP_LINE='fanfold sink --token-file x'
COMP_POINT=\${#COMP_LINE}
_fanfold
printf '%s\\n' "\${#COMPREPLY[@]}" "\${COMPREPLY[0]}"
eval "printf %s \${COMPREPLY[0]}"
`;

test.skipIf(!programsAvailable("bash"))("a bash without compopt, as 3.2 is, gets names of files quoted", async () => {
  const io = memoryIo();
  expect(await main(["completion", "bash"], io)).toBe(0);
  const cwd = tempFolder();
  const name = "x; touch hacked $(touch hacked)";
  writeFileSync(`${cwd}/${name}`, "");
  writeFileSync(`${cwd}/script`, io.stdout.text);
  const { stdout, stderr } = spawnSync("bash", ["--norc", "-c", ASK], { cwd, encoding: "utf8" });
  const [count, offered, ...run] = stdout.split("\n");
  expect({ count, stderr, run }).toEqual({ count: "1", stderr: "", run: [name] });
  expect(offered).toContain("x\\;\\ touch");
  expect(existsSync(`${cwd}/hacked`)).toBe(false);
});

import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { VerifyEvent } from "../../../src/protocol/messages/verify-events.ts";
import { mountUntypedDisk, untypedDisksAvailable } from "../../helpers/disks/untyped-disk.ts";
import { CliLab } from "../../helpers/processes/cli.ts";
import { makeManyFiles } from "../../helpers/trees/tree.ts";
import { expectEqualTrees } from "../../helpers/trees/tree-judge.ts";
import { E2E_MS, expectProven } from "../copying.ts";

describe.skipIf(!untypedDisksAvailable())(
  "directories that do not say what their entries are",
  { timeout: E2E_MS },
  () => {
    test.each(["1", "0"])("are copied, mirrored and verified like any others (FANFOLD_NATIVE=%s)", async (native) => {
      await using lab = await CliLab.open();
      const env = { FANFOLD_NATIVE: native };
      using one = mountUntypedDisk(lab.path("one"), lab.path("one.image"));
      const [from, whole, around] = [`${one.path}/source`, `${one.path}/sink`, lab.path("around")];
      // The second sink has such a disk mounted in it: files lie beside their targets there until they are whole.
      using two = mountUntypedDisk(`${around}/disk`, lab.path("two.image"));
      mkdirSync(from);
      symlinkSync("disk", `${from}/link`);
      makeManyFiles(`${from}/disk`, 40);
      writeFileSync(`${from}/.fanfoldignore`, "*.mine\n");
      for (const folder of [whole, around]) mkdirSync(`${folder}/old/inner`, { recursive: true });
      for (const name of ["old/file", "old/inner/file", "theirs.mine"]) writeFileSync(`${whole}/${name}`, name);
      writeFileSync(`${from}/ours.mine`, "");
      writeFileSync(`${two.path}/.fanfold-partial-7`, "left by a session that was killed");
      const { address } = await lab.coordinator({ env });
      for (const result of ["complete", "unchanged"]) {
        const sinks = [whole, around].map((folder) => lab.sink(address, folder, [], { env }));
        const source = lab.source(address, from, ["--delete", "--max-delete", "100%", "--dest-count", "2"], { env });
        expect(await expectProven(source, sinks)).toMatchObject({ result });
      }
      expect(readdirSync(whole)).toContain("theirs.mine");
      expect(readdirSync(whole)).not.toContain("old");
      for (const folder of [whole, around]) {
        await expectEqualTrees(from, folder, ["ours.mine", "theirs.mine", "disk/lost+found"]);
        const verify = lab.start<VerifyEvent>(["verify", "--", folder], { env });
        expect(await verify.exit(), verify.shown()).toBe(0);
      }
    });
  },
);

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { readReceipt } from "../../../src/protocol/messages/receipt.ts";
import { CliLab } from "../../helpers/processes/cli.ts";
import { makeManyFiles } from "../../helpers/trees/tree.ts";
import { copyAndCompare, E2E_MS } from "../copying.ts";

describe("receipts", { timeout: E2E_MS }, () => {
  test("are signed by each sink, kept by source and coordinator, and checked offline", async () => {
    await using lab = await CliLab.open();
    const [from, file, state] = [lab.path("source"), lab.path("receipts"), lab.path("state")];
    makeManyFiles(from, 20);
    const coordinator = await lab.coordinator({ args: ["--state-dir", state] });
    const { address } = coordinator;
    const to = [lab.path("one"), lab.path("two")];
    const summary = await copyAndCompare(lab, { address, from, to, sourceArgs: ["--receipt", file] });

    const lines = readFileSync(file, "utf8").trim().split("\n");
    const receipts = lines.map(readReceipt);
    expect(receipts.map(({ digest, filesDone, outcome }) => [digest, filesDone, outcome])).toEqual(
      to.map(() => [summary.digest, summary.files, "proven"]),
    );
    expect(new Set(receipts.map(({ sink }) => sink)).size).toBe(2);

    const verified = lab.start(["receipt", "verify", file], { plain: true });
    expect(await verified.exit(), verified.shown()).toBe(0);
    expect(verified.stdout.trim().split("\n")).toHaveLength(2);
    for (const { name, provenAt } of receipts) expect(verified.stdout).toContain(`${provenAt}  ${name} (`);

    const known = lab.start(["receipt", "verify", file, "--sink", receipts[0]?.sink ?? ""], { plain: true });
    expect(await known.exit()).toBe(33);
    expect(known.stderr).toContain("want one of those that --sink names");
    writeFileSync(file, `${lines[0]?.replace(/.$/, (last) => (last === "A" ? "Q" : "A"))}\n`);
    const altered = lab.start(["receipt", "verify", file], { plain: true });
    expect(await altered.exit()).toBe(33);

    coordinator.process.signal("SIGTERM");
    await coordinator.process.exit();
    using database = new DatabaseSync(join(state, "coordinator.db"), { readOnly: true });
    const kept = database.prepare("SELECT receipt FROM members WHERE role = 'sink' ORDER BY receipt").all();
    expect(kept.map(({ receipt }) => receipt)).toEqual([...lines].sort());
  });
});

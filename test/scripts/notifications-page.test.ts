import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { parseWebhookSecret } from "../../src/coordinator/notices/webhook-signature.ts";
import { tempFolder } from "../helpers/brokers/broker-process.ts";

const PAGE = readFileSync(new URL("../../docs/notifications.md", import.meta.url), "utf8");
const BLOCKS = [...PAGE.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, text = ""]) => text);

/** The block that has this text. */
function blockWith(text: string): string {
  const found = BLOCKS.find((block) => block.includes(text));
  if (found === undefined) throw new Error(`want a block with ${text}`);
  return found;
}

test("the script that sends e-mail sends it of what went wrong, and of nothing else", async () => {
  const { path: folder, remove } = await tempFolder("mail");
  onTestFinished(remove);
  const [script, sendmail, mail] = ["fanfold-mail", "sendmail", "mail"].map((name) => join(folder, name));
  writeFileSync(script ?? "", blockWith("#!/bin/sh"));
  writeFileSync(sendmail ?? "", `#!/bin/sh\n[ "$*" = -t ] && cat > '${mail}'\n`);
  for (const program of [script, sendmail]) chmodSync(program ?? "", 0o755);
  const run = (event: string, result?: string): string | undefined => {
    const env = {
      ...{ PATH: process.env["PATH"], SENDMAIL: sendmail, FANFOLD_EVENT: event, FANFOLD_EVENT_ID: "msg_1" },
      ...{ FANFOLD_EVENT_TIME: "2026-01-02T03:04:05.000Z", FANFOLD_EVENT_SESSION: "photos" },
      ...(result === undefined ? {} : { FANFOLD_EVENT_RESULT: result, FANFOLD_EVENT_SESSION_ID: "abc123abc123" }),
    };
    const { status, stderr } = spawnSync(script ?? "", { env, input: '{"type":"…"}\n', encoding: "utf8" });
    expect([status, stderr]).toEqual([0, ""]);
    return existsSync(mail ?? "") ? readFileSync(mail ?? "", "utf8") : undefined;
  };
  for (const result of ["complete", "unchanged", "dry-run"]) expect(run("ended", result)).toBeUndefined();
  expect(run("ended", "failed")).toMatch(
    /^To: backup@example.org\nSubject: \[fanfold\] copy of photos ended: failed\n.*\n\n2026.*\nfanfold session abc123abc123\n\n\{"type":"…"\}\n$/s,
  );
  expect(run("missed")).toContain("Subject: [fanfold] copy of photos is missed\n");
  expect(run("recovered")).toContain("Subject: [fanfold] copy of photos: recovered\n");
});

test("the line that makes a secret makes one that is taken", async () => {
  const { path: folder, remove } = await tempFolder("hook");
  onTestFinished(remove);
  const line = blockWith("umask").replace("/etc/fanfold/hook", join(folder, "hook"));
  expect(spawnSync("sh", ["-c", line]).status).toBe(0);
  expect(parseWebhookSecret(readFileSync(join(folder, "hook"), "utf8").trimEnd())).toHaveLength(32);
});

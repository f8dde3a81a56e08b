import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openKeyWarning } from "../../../src/lib/tls/open-key.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";

test("a private key that others can read is told with the mode found and the one wanted", () => {
  const key = join(tempFolder(), "key.pem");
  writeFileSync(key, "", { mode: 0o600 });
  expect(openKeyWarning(key, "--tls-key")).toBeUndefined();
  chmodSync(key, 0o644);
  expect(openKeyWarning(key, "--tls-key")).toBe(
    `others on this machine may read the private key --tls-key "${key}": found mode 644, want 600; chmod 600 it`,
  );
  expect(openKeyWarning(undefined, "--tls-key")).toBeUndefined();
  expect(openKeyWarning(`${key}.none`, "--tls-key")).toBeUndefined();
});

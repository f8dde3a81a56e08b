import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, lstatSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadNative } from "../../../src/lib/disk/native.ts";
import { ACCESS_ACL, DEFAULT_ACL } from "../../../src/protocol/frame/attribute-names.ts";
import { inheritAcl } from "../../../src/sink/metadata/inherited-acl.ts";
import { copyInProcess } from "../../helpers/copies/copy-in-process.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { accessList, needNative } from "../../helpers/trees/every-kind-tree.ts";
import { makeFifo } from "../../helpers/trees/special-files.ts";

const isRoot = process.getuid?.() === 0;
const [USER_OBJ, USER, GROUP_OBJ, MASK, OTHER] = [1, 2, 4, 16, 32];
/** Whoever is in the group reads nothing, whatever the mask shows in its place. */
const SHUT_OUT = accessList([
  [USER_OBJ, 7],
  [USER, 6, 33],
  [GROUP_OBJ, 0],
  [MASK, 7],
  [OTHER, 0],
]);
const PLAIN = accessList([
  [USER_OBJ, 7],
  [GROUP_OBJ, 5],
  [OTHER, 0],
]);
const MODES = [0o644, 0o600, 0o755, 0o777, 0o020];
const NO_PERMS = { tree: { keeps: { perms: false, times: true } } };

function setAcl(path: string, name: string, value: Buffer): void {
  needNative().setAttribute(Buffer.from(path), Buffer.from(name), value);
}

/** What says who may do what. */
function rightsOf(path: string) {
  const acl = needNative().getAttribute(Buffer.from(path), Buffer.from(ACCESS_ACL));
  return { mode: (lstatSync(path).mode & 0o7777).toString(8), acl: acl?.toString("hex") };
}

test.runIf(loadNative() !== undefined).each([
  ["with a mask", SHUT_OUT],
  ["without one", PLAIN],
])("inheritAcl() makes of a default list %s what the kernel makes of it", (_, list) => {
  const folder = tempFolder();
  setAcl(folder, DEFAULT_ACL, list);
  for (const mode of MODES) {
    const [made, given] = [join(folder, `made ${mode}`), join(tempFolder(), "given")];
    writeFileSync(made, "", { mode });
    writeFileSync(given, "");
    const inherited = inheritAcl(list, mode);
    setAcl(given, ACCESS_ACL, inherited.acl ?? Buffer.alloc(0));
    expect([mode, rightsOf(given)]).toEqual([mode, rightsOf(made)]);
    expect(inherited.mode).toBe(lstatSync(made).mode & 0o777);
  }
});

test.runIf(loadNative() !== undefined)(
  "with --no-perms new entries get what their directory hands down, as with cp; and a replaced file keeps what it had",
  () => {
    const [source, sink, beside] = [tempFolder(), tempFolder(), tempFolder()];
    mkdirSync(join(source, "dir/inner"), { recursive: true });
    for (const name of ["new", "dir/deep", "dir/inner/deeper", "old"]) writeFileSync(join(source, name), name);
    chmodSync(join(source, "dir/deep"), 0o777);
    for (const folder of [sink, beside]) {
      writeFileSync(join(folder, "old"), "");
      setAcl(join(folder, "old"), ACCESS_ACL, SHUT_OUT);
      setAcl(folder, DEFAULT_ACL, SHUT_OUT);
    }
    makeFifo(join(source, "fifo"));
    execFileSync("cp", ["-r", `${source}/.`, beside]);
    expect(copyInProcess(source, sink, NO_PERMS).problems).toEqual([]);
    for (const name of ["new", "old", "dir", "dir/deep", "dir/inner", "dir/inner/deeper", "fifo"])
      expect([name, rightsOf(join(sink, name))]).toEqual([name, rightsOf(join(beside, name))]);
    // Sent once more: what is replaced keeps it, too.
    writeFileSync(join(source, "new"), "other content");
    const before = rightsOf(join(sink, "new"));
    copyInProcess(source, sink, NO_PERMS);
    expect(rightsOf(join(sink, "new"))).toEqual(before);
  },
);

test.runIf(isRoot)("with --no-perms set-id bits stay where the owner does, and go where another one comes", () => {
  const [source, sink] = [tempFolder(), tempFolder()];
  for (const name of ["same", "other"]) {
    for (const folder of [source, sink]) writeFileSync(join(folder, name), folder);
    chownSync(join(sink, name), 1234, 1235);
    chmodSync(join(sink, name), 0o6755);
  }
  chownSync(join(source, "same"), 1234, 1235);
  copyInProcess(source, sink, NO_PERMS);
  expect(["same", "other"].map((name) => rightsOf(join(sink, name)).mode)).toEqual(["6755", "755"]);
});

test.runIf(isRoot)("with --no-perms a directory keeps the set-group-id bit that it inherits", () => {
  const [source, sink] = [tempFolder(), tempFolder()];
  mkdirSync(join(source, "dir"));
  chownSync(sink, 0, 1235);
  chmodSync(sink, 0o2775);
  copyInProcess(source, sink, { tree: { ...NO_PERMS.tree, owner: false } });
  expect([rightsOf(join(sink, "dir")).mode, lstatSync(join(sink, "dir")).gid]).toEqual(["2755", 1235]);
});

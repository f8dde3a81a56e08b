import { X509Certificate } from "node:crypto";
import { describe, expect, test } from "vitest";
import { checkMachine } from "../../../src/cli/doctor/check-machine.ts";
import { checkNative } from "../../../src/cli/doctor/check-native.ts";
import { certificateFinding } from "../../../src/cli/doctor/coordinator-health.ts";
import { countsLine, FindingPrinter } from "../../../src/cli/doctor/doctor-lines.ts";
import { type DoctorFinding, FINDING_CHARS_MAX, Look } from "../../../src/cli/doctor/finding.ts";
import { mountType } from "../../../src/cli/doctor/mount-type.ts";
import { roomFindings } from "../../../src/cli/doctor/room-findings.ts";
import { createStyle, PLAIN_STYLE, type Style } from "../../../src/cli/view/text/style.ts";
import { FanfoldError } from "../../../src/lib/errors.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { testAuthority } from "../../helpers/tls/test-authority.ts";

const MIB = 1024 * 1024;

const MACHINE = { limits: undefined, constrainedBytes: 0, totalBytes: 8192 * MIB };

function findingOf(check: string, findings: readonly DoctorFinding[]): DoctorFinding {
  const finding = findings.find((each) => each.check === check);
  if (finding === undefined) throw new Error(`no finding of ${check}`);
  return finding;
}

test("no text of a finding is longer than its bound, and both of its ends are shown", () => {
  const long = `begin ${"x".repeat(5000)} end`;
  const { found, wanted, todo } = new Look("check", long).error(long, long);
  for (const text of [found, wanted, todo]) {
    expect(text.length).toBeLessThanOrEqual(FINDING_CHARS_MAX);
    expect(text).toMatch(/^begin x+…x+ end$/);
  }
});

test("an old Node.js is an error", async () => {
  const statusOf = async (version: string) => findingOf("node", await checkNative({ env: {} }, version)).status;
  expect([await statusOf("24.0.0"), await statusOf("22.19.0")]).toEqual(["ok", "error"]);
});

test("descriptors: few are a warning, hardly any an error; what is not told is skipped", () => {
  const limits = (count: string): string => `Limit  Soft  Hard\nMax open files            ${count}   524288   files\n`;
  const statusOf = (text: string | undefined) =>
    findingOf("descriptors", checkMachine({}, { ...MACHINE, limits: text })).status;
  expect(["unlimited", "1024", "1000", "100"].map((count) => statusOf(limits(count)))).toEqual([
    ...["ok", "ok", "warning", "error"],
  ]);
  expect(statusOf(undefined)).toBe("skipped");
});

test("memory: the limit of the group counts, where there is one below that of the machine", () => {
  const limitedTo = (constrainedBytes: number) =>
    findingOf("memory", checkMachine({}, { ...MACHINE, constrainedBytes }));
  expect(limitedTo(0)).toMatchObject({ status: "ok", found: "8.0 GiB, which is all of this machine" });
  expect(limitedTo(2 ** 63).status).toBe("ok");
  expect(limitedTo(256 * MIB)).toMatchObject({
    status: "warning",
    todo: expect.stringContaining("MemoryMax="),
  });
  expect(limitedTo(64 * MIB).status).toBe("error");
});

test("space and inodes: little is a warning, none an error", () => {
  const facts = { bsize: MIB, blocks: 1000, bavail: 900, files: 0, ffree: 0 };
  const statusOf = (check: string, more: Partial<typeof facts>) =>
    findingOf(check, roomFindings({ ...facts, ...more })).status;
  expect([900, 40, 0].map((bavail) => statusOf("space", { bavail }))).toEqual(["ok", "warning", "error"]);
  expect([90_000, 4000, 10].map((ffree) => statusOf("inodes", { ffree, files: 100_000 }))).toEqual([
    ...["ok", "warning", "error"],
  ]);
  expect(statusOf("inodes", {})).toBe("ok");
});

test("mountType() takes the mount that is nearest to a path, and the last one there", () => {
  const mounts = [
    "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw",
    "30 22 0:40 / /mnt rw - nfs4 server:/ rw",
    "31 30 0:41 / /mnt/a\\040b rw master:2 - vfat /dev/sdb1 rw",
    "32 30 0:42 / /mnt rw - cifs //server/share rw",
  ].join("\n");
  expect(["/home", "/mntx", "/mnt/c", "/mnt/a b/c"].map((path) => mountType(path, mounts))).toEqual([
    ...["ext4", "ext4", "cifs", "vfat"],
  ]);
  expect(mountType("/", "")).toBeUndefined();
});

describe("what is told of a finding", () => {
  const look = new Look("port", "a coordinator that answers");

  test("of an error: what was found, and behind the first semicolon what to do", () => {
    const error = new FanfoldError("coordinator-unreachable", "cannot connect: one; do this; or that");
    expect(look.failed(error)).toMatchObject({
      status: "error",
      found: "cannot connect: one",
      todo: "do this; or that",
    });
    expect(look.failed(new FanfoldError("internal", "it broke"))).toMatchObject({
      found: "it broke",
      todo: "read what was found, and correct it",
    });
  });

  test("nothing of it moves a terminal, whoever said it", () => {
    const hostile = 'RabbitMQ 4\u001b[2J\r\nok \u202ename "a\\\\b"';
    const safe = 'RabbitMQ 4\ufffd[2J\ufffd\ufffdok \ufffdname "a\\\\b"';
    expect([look.ok(hostile).found, look.error(hostile, "x").found, look.skipped(hostile).found]).toEqual([
      safe,
      safe,
      safe,
    ]);
    expect(look.failed(new FanfoldError("internal", `it broke; ${hostile}`)).todo).toBe(safe);
  });

  test("every status is a word, whatever the colour", () => {
    const findings = [look.ok("a"), look.skipped("b"), look.warning("c", "x"), look.error("d", "y")];
    const lines = (style: Style): readonly string[] => {
      const printer = new FindingPrinter(style);
      return [...findings.flatMap((finding) => printer.add(finding)), ...printer.end()];
    };
    const plain = lines(PLAIN_STYLE);
    expect(plain.map((line) => line.slice(0, 8).trim())).toEqual(["ok", "skipped", "warning", "", "", "error", "", ""]);
    const coloured = lines(createStyle({ colour: true, unicode: true }));
    expect(coloured.map((line) => line.replaceAll(/\u001b\[\d+m/g, ""))).toEqual(plain);
    expect(countsLine(findings, PLAIN_STYLE)).toBe("1 error, 1 warning, 1 ok, 1 skipped");
  });
});

test("what is skipped for one reason is one line", () => {
  const printer = new FindingPrinter(PLAIN_STYLE);
  const skip = (check: string, why: string) => printer.add(new Look(check, "it").skipped(why));
  expect([skip("port", "no name"), skip("clock", "no name"), skip("certificate", "no name")].flat()).toEqual([]);
  expect(skip("broker", "none was named")).toEqual(["skipped port, clock, certificate: no name"]);
  expect(printer.end()).toEqual(["skipped broker          none was named"]);
});

test("a certificate that ends soon is a warning", async () => {
  const certificate = new X509Certificate((await testAuthority(tempFolder())).certificate);
  const end = certificate.validToDate.getTime();
  const at = (days: number) =>
    certificateFinding(certificate, { pinned: false, now: new Date(end - days * 86_400_000) });
  expect([at(15).status, at(13).status]).toEqual(["ok", "warning"]);
});

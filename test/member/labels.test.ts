import { expect, test } from "vitest";
import { labelsOf } from "../../src/member/labels.ts";
import { LABEL_CHARS_MAX } from "../../src/protocol/limits.ts";
import { decodeClientMessage, encodeControl, type Hello } from "../../src/protocol/messages/control.ts";

const machine = "vm";

test("labelsOf() is the name that was asked for, and no other", () => {
  expect(labelsOf({ name: "attic", folder: "/backup/photos" }, machine)).toEqual({ label: "attic", labelAsked: true });
});

test.each([
  ["/srv/backup-1", "vm-backup-1"],
  ["/srv/my photos, 2024/", "vm-my-photos-2024"],
  ["/srv/Büro", "vm-Büro"],
  ["/srv/\u202egnp.\u0007exe", "vm-gnp.-exe"],
  [Buffer.from([0x2f, 0x6b, 0xe9, 0x6b]).toString("utf8"), "vm-k-k"],
  ["/srv/...", "vm-..."],
  ["/", undefined],
  ["/srv/  ", undefined],
])("labelsOf() falls back on the machine and the folder %j: %j", (folder, wanted) => {
  expect(labelsOf({ name: undefined, folder }, machine)).toEqual({
    label: "vm",
    labelAsked: false,
    ...(wanted === undefined ? {} : { labelElse: wanted }),
  });
});

test.each(["a".repeat(300), "é".repeat(100), "𝒳".repeat(60)])(
  "labelsOf() is never longer than a label may be, nor half a character: %#",
  (name) => {
    const labels = labelsOf({ name: undefined, folder: `/srv/${name}` }, machine);
    expect(labels.labelElse?.length).toBeGreaterThanOrEqual(LABEL_CHARS_MAX - 1);
    const who = { type: "hello", version: 12, role: "sink", session: "default", timeMs: 0 } as const;
    const proof = { key: "0".repeat(64), signature: "A".repeat(86) };
    const hello: Hello = { ...who, ...proof, ...labels };
    expect(decodeClientMessage(encodeControl(hello))).toEqual(hello);
  },
);

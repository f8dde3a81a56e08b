import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const SRC = fileURLToPath(new URL("../../src/", import.meta.url));
const INDEX = readFileSync(join(SRC, "index.ts"), "utf8");

interface Found {
  readonly name: string;
  readonly file: string;
}

/** What programs can import, and the file that declares it. */
function exported(): readonly Found[] {
  return [...INDEX.matchAll(/^export (?:type )?\{([^}]+)\} from "([^"]+)";/gm)].flatMap(([, names = "", from = ""]) =>
    names
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name !== "")
      .map((name) => ({ name, file: join(SRC, from) })),
  );
}

/** The lines of a file, and where something is declared in it. */
function declarationOf({ name, file }: Found): { readonly lines: readonly string[]; readonly at: number } | undefined {
  const lines = readFileSync(file, "utf8").split("\n");
  const declares = new RegExp(`^export (?:async )?(?:interface|type|class|function|const) ${name}\\b`);
  const at = lines.findIndex((line) => declares.test(line));
  return at < 0 ? undefined : { lines, at };
}

function isDocumented(lines: readonly string[], at: number): boolean {
  return /\*\/$/.test(lines[at - 1] ?? "");
}

/** Members of an interface or class without a word on them, and what it inherits from. */
function bareMembers(lines: readonly string[], at: number): readonly string[] {
  const length = lines.slice(at).findIndex((line) => /^\}/.test(line) || line.endsWith("{}"));
  const body = lines.slice(at + 1, at + Math.max(length, 0)).map((line, index) => ({ line, index: at + 1 + index }));
  return body
    .filter(({ line }) => /^ {2}(?:readonly |get )?[a-zA-Z]+\??[:(<]/.test(line) && !/^ {2}constructor/.test(line))
    .filter(({ index }) => !isDocumented(lines, index))
    .map(({ line }) => line.trim());
}

/** Where the options of a function stand whose public type is made of it. */
const OPTIONS: readonly Found[] = [
  { name: "SourceOptions", file: join(SRC, "source/source-options.ts") },
  { name: "SinkOptions", file: join(SRC, "sink/sink.ts") },
  { name: "VerifyOptions", file: join(SRC, "sink/verify/verify.ts") },
  { name: "CancelOptions", file: join(SRC, "source/cancel.ts") },
  { name: "NoticeOptions", file: join(SRC, "coordinator/notices/notices.ts") },
  { name: "CoordinatorParts", file: join(SRC, "coordinator/coordinator-defaults.ts") },
  { name: "CoordinatorOptions", file: join(SRC, "coordinator/coordinator.ts") },
  { name: "MemberRun", file: join(SRC, "member/member-run.ts") },
  { name: "ContactOptions", file: join(SRC, "member/contact.ts") },
  { name: "BandwidthOptions", file: join(SRC, "member/limit/bandwidth.ts") },
  { name: "RetentionOptions", file: join(SRC, "coordinator/history/retention.ts") },
  { name: "BrokerFiles", file: join(SRC, "coordinator/broker/broker-files.ts") },
  { name: "TlsFiles", file: join(SRC, "coordinator/tls/tls-setup.ts") },
  { name: "TreeOptions", file: join(SRC, "source/publish/published-tree.ts") },
  { name: "SinkPolicy", file: join(SRC, "source/session/session-work.ts") },
  { name: "SinkNeedOptions", file: join(SRC, "source/sink-need.ts") },
];

test("every export of the package says what it is", () => {
  const all = exported();
  expect(all.length).toBeGreaterThan(35);
  const bare = all.filter((found) => {
    const place = declarationOf(found);
    return place === undefined || !isDocumented(place.lines, place.at);
  });
  expect(bare.map(({ name }) => name)).toEqual([]);
});

test("every option, and every member of what the functions give, says what it is", () => {
  const runs = exported().filter(({ name }) =>
    /^(Coordinator|SourceRun|SinkRun|VerifyRun|Clock|Logger|Random)$/.test(name),
  );
  const bare = [...OPTIONS, ...runs].flatMap((found) => {
    const place = declarationOf(found);
    if (place === undefined) return [`${found.name}: not found in ${dirname(found.file)}`];
    return bareMembers(place.lines, place.at).map((member) => `${found.name}: ${member}`);
  });
  expect(bare).toEqual([]);
});

/** Objects that are described by what checks them, and the public types that are made of these. */
const CHECKED: readonly Found[] = [
  { name: "copyProgressShape", file: join(SRC, "protocol/messages/progress.ts") },
  { name: "sinkProgressShape", file: join(SRC, "protocol/messages/progress.ts") },
  { name: "problemShape", file: join(SRC, "protocol/messages/progress.ts") },
  { name: "sinkOutcomeShape", file: join(SRC, "protocol/messages/progress.ts") },
  { name: "sessionSummaryShape", file: join(SRC, "protocol/messages/progress.ts") },
  { name: "deletionShape", file: join(SRC, "protocol/messages/deletion.ts") },
  { name: "deletionWithheldShape", file: join(SRC, "protocol/messages/deletion.ts") },
  { name: "heldBackShape", file: join(SRC, "protocol/messages/held-back.ts") },
  { name: "tokenViewSchema", file: join(SRC, "protocol/access/operator-api.ts") },
  { name: "shownTokenSchema", file: join(SRC, "protocol/access/operator-api.ts") },
];

test("every field of what the functions give, and of what is in their events, says what it is", () => {
  const applied = { name: "AppliedLimit", file: join(SRC, "protocol/bandwidth/applied-limit.ts") };
  const interfaces = exported().filter(({ name, file }) =>
    new RegExp(`^export (?:interface|class) ${name}\\b`, "m").test(readFileSync(file, "utf8")),
  );
  expect(interfaces.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["SessionView", "SinkLine", "FanfoldError"]),
  );
  const bare = [...CHECKED, applied, ...interfaces].flatMap((found) => {
    const place = declarationOf(found);
    if (place === undefined) return [`${found.name}: not found in ${found.file}`];
    return bareMembers(place.lines, place.at).map((member) => `${found.name}: ${member}`);
  });
  expect(bare).toEqual([]);
});

/** Variants of a union without a word on them, and their fields. What `type` means stands at the variant. */
function bareInUnion(lines: readonly string[], at: number): readonly string[] {
  const length = lines.slice(at).indexOf("");
  return lines.slice(at, at + length).flatMap((line, index) => {
    const isSaid = isDocumented(lines, at + index);
    const fields = [...line.matchAll(/readonly (\w+)\??:/g)].map(([, field = ""]) => field);
    const bare = fields.filter((field) => field !== "type" && !(isSaid && line.trim().startsWith("readonly ")));
    return line.startsWith("  | {") && !isSaid ? [line.trim(), ...bare] : bare;
  });
}

test("every event, and every field of it, says what it is", () => {
  const unions = exported().filter(({ name }) => name.endsWith("Event"));
  expect(unions.map(({ name }) => name).sort()).toEqual([
    ...["CoordinatorEvent", "LinkEvent", "SinkEvent", "SourceEvent", "VerifyEvent"],
  ]);
  const found = unions.map((union) => {
    const place = declarationOf(union);
    if (place === undefined) return { name: union.name, fields: 0, bare: ["not found"] };
    const text = place.lines.slice(place.at, place.at + place.lines.slice(place.at).indexOf("")).join("\n");
    const fields = [...text.matchAll(/readonly /g)].length;
    return { name: union.name, fields, bare: bareInUnion(place.lines, place.at) };
  });
  expect(found.filter(({ bare }) => bare.length > 0)).toEqual([]);
  for (const { fields } of found) expect(fields).toBeGreaterThan(15);
});

import { decodeDataTable } from "../../src/protocol/frame/data-table.ts";
import { buildFrame, decodeFrame, FRAME_TYPES, type FrameType, finishFrame } from "../../src/protocol/frame/frame.ts";
import { decodeEnd, decodeWalked, encodeEnd, encodeWalked } from "../../src/protocol/frame/marks.ts";
import { entryDisplay, entryPath } from "../../src/protocol/frame/page.ts";
import { decodePage } from "../../src/protocol/frame/page-rows.ts";
import { FRAME_BYTES_MAX, PAGE_ENTRIES_MAX } from "../../src/protocol/limits.ts";
import { parseRules } from "../../src/protocol/names/filter.ts";
import { checkPath } from "../../src/protocol/names/relative-path.ts";
import { decodeScope, encodeGroups, encodeScope } from "../../src/protocol/names/scope.ts";
import {
  checkRecord,
  decodeDeclared,
  decodeHeader,
  decodeLacks,
  decodeManifestEnd,
  decodeManifestPage,
  encodeDeclared,
  encodeHeader,
  encodeLacks,
  encodeManifestPage,
  encodeManifestStates,
} from "../../src/sink/manifest/manifest.ts";
import { checkFrame } from "../../src/sink/stream/checked-frame.ts";
import {
  AS_LISTED,
  dataFrame,
  delivered,
  directory,
  file,
  finalOf,
  HandSource,
  rootEntry,
  symlink,
} from "../helpers/copies/hand-source.ts";
import { packed } from "../helpers/copies/packed-frame.ts";
import { encodePage } from "../helpers/copies/rows-of.ts";
import { SESSION } from "../helpers/copies/source-frames.ts";
import { decodeTrailer, encodeTrailer, pageDigest } from "../helpers/copies/trailers.ts";
import type { FuzzTarget } from "./fuzzer.ts";
import { must, refuses } from "./refuses.ts";

const TYPES = Object.keys(FRAME_TYPES) as FrameType[];
const HEADER_BYTES = 40;
/** Upper two bytes of three. */
const PLAIN_OFFSET = 21;
const entries = [rootEntry, directory("d"), file("d/a", 5), file("b\n", 40_000), symlink("l", "../x")];
const hello = Buffer.from("hello");
/** A whole number of 256 bytes. */
const LONG = Buffer.alloc(8_192, "some text ");

/** Payloads of a small session. */
export function sessionPayloads(): Buffer[] {
  const source = new HandSource();
  const { payload, page } = source.page(entries);
  const data = dataFrame(
    [{ entry: 2, bytes: hello }],
    [
      { entry: 2, final: finalOf(hello) },
      { entry: 3, final: undefined },
    ],
  );
  const states = [AS_LISTED, AS_LISTED, delivered(hello), { state: "withdrawn" as const }, AS_LISTED];
  return [payload, source.walked(), data, source.trailer(page, states), source.end()];
}

const tables = (type: FrameType): Buffer[] =>
  sessionPayloads()
    .map((payload) => decodeFrame(payload))
    .filter((frame) => frame.type === type)
    .map(({ table }) => Buffer.from(table));

/** A frame with a right checksum, whatever stands in it: type, two bytes for the length of its content, the rest. */
export function finishedFrame(input: Uint8Array, sequence = 0): Buffer {
  const [type = 0, high = 0, low = 0] = input;
  const rest = input.subarray(3);
  const frame = buildFrame({ type: TYPES[type % TYPES.length] ?? "data", ...SESSION, stream: 0 }, rest);
  frame.writeUInt32BE(Math.min(high * 256 + low, rest.length), 32);
  finishFrame(frame, sequence);
  return frame;
}

/** What `finishedFrame` makes this payload of. */
export function unfinished(payload: Buffer): Buffer {
  const content = payload.readUInt32BE(32);
  const type = TYPES.indexOf(decodeFrame(payload).type);
  return Buffer.concat([Buffer.from([type, content >> 8, content & 0xff]), payload.subarray(HEADER_BYTES)]);
}

/** The same of a data frame, with two bytes for its plain length in place of the type. */
function packedFrame(input: Uint8Array): Buffer {
  const frame = finishedFrame(Buffer.concat([Buffer.from([TYPES.indexOf("data")]), input.subarray(2)]));
  frame.set(input.subarray(0, 2), PLAIN_OFFSET);
  finishFrame(frame, 0);
  return frame;
}

function unpacked(payload: Buffer): Buffer {
  return Buffer.concat([payload.subarray(PLAIN_OFFSET, PLAIN_OFFSET + 2), unfinished(payload).subarray(1)]);
}

function pageHolds(table: Uint8Array): void {
  const page = refuses(["damaged"], () => decodePage(table));
  if (page === undefined) return;
  must(page.entries.length <= PAGE_ENTRIES_MAX, "a page has no more entries than the limit");
  for (const entry of page.entries) {
    const path = entryPath(entry);
    checkPath(path);
    must(entry.entry === 0 || path.length > 0, "only entry 0 is the root");
    must(!/[\p{Cc}\p{Cf}]/u.test(entryDisplay(entry)), "a path is shown escaped");
  }
  const written = encodePage(page);
  must(encodePage(decodePage(written)).equals(written), "a page reads back as it was written");
  pageDigest(table, []);
}

function dataTableHolds(input: Uint8Array): void {
  const content = new Uint8Array(((input[0] ?? 0) << 8) | (input[1] ?? 0));
  const records = refuses(["damaged"], () => decodeDataTable(input.subarray(2), content));
  if (records === undefined) return;
  const bytes = records.reduce((sum, record) => sum + (record.kind === "chunk" ? record.bytes.length : 0), 0);
  must(bytes === content.length, "chunks cover the content");
}

function recordHolds(input: Uint8Array): void {
  const [head, body] = [Buffer.from(input.subarray(0, 9)), Buffer.from(input.subarray(9))];
  if (head.length === 9) refuses(["manifest-damaged"], () => checkRecord(head, body));
  for (const decode of [decodeHeader, decodeManifestPage, decodeDeclared, decodeLacks])
    refuses(["damaged"], () => decode(input));
  refuses(["damaged"], () => decodeManifestEnd(Buffer.from(input)));
}

const manifestPage = (): Buffer =>
  encodeManifestPage(tables("page")[0] ?? Buffer.alloc(0), encodeManifestStates(entries.map(() => AS_LISTED)));

export const WIRE_TARGETS: readonly FuzzTarget[] = [
  {
    name: "frame",
    seeds: sessionPayloads,
    run: (input) => {
      const frame = refuses(["damaged", "protocol-version"], () => decodeFrame(input));
      must(frame === undefined || frame.type === "data" || frame.content.length === 0, "only data has content");
    },
  },
  {
    name: "checked-frame",
    seeds: () => sessionPayloads().map(unfinished),
    run: (input) => {
      must(input.length < FRAME_BYTES_MAX, "inputs are small");
      refuses(["damaged"], () => checkFrame(finishedFrame(input)));
    },
  },
  {
    name: "compressed-frame",
    seeds: () => [unpacked(packed(dataFrame([{ entry: 2, bytes: LONG }])))],
    run: (input) => {
      const checked = refuses(["damaged"], () => checkFrame(packedFrame(input)));
      if (checked === undefined || "type" in checked) return;
      const { content, table } = checked.frame;
      must(
        content.length + table.length <= FRAME_BYTES_MAX,
        "a frame is as long as one that was not compressed, at most",
      );
    },
  },
  { name: "page", seeds: () => tables("page"), words: ["..", ".", "/", ".fanfold", "\0", "a/b"], run: pageHolds },
  {
    name: "data-table",
    seeds: () => tables("data").map((table) => Buffer.concat([Buffer.from([0, hello.length]), table])),
    run: dataTableHolds,
  },
  {
    name: "trailer",
    seeds: () => tables("trailer"),
    run: (input) => {
      const trailer = refuses(["damaged"], () => decodeTrailer(input));
      if (trailer === undefined) return;
      must(trailer.states.length <= PAGE_ENTRIES_MAX, "a trailer has no more states than the limit");
      must(encodeTrailer(trailer).equals(Buffer.from(input)), "one trailer has one spelling");
    },
  },
  {
    name: "marks",
    seeds: () => [...tables("walked"), ...tables("end")],
    run: (input) => {
      const walked = refuses(["damaged"], () => decodeWalked(input));
      const end = refuses(["damaged"], () => decodeEnd(input));
      const same = (bytes: Uint8Array): boolean => Buffer.compare(bytes, input) === 0;
      must(walked === undefined || same(encodeWalked(walked)), "one mark has one spelling");
      must(end === undefined || same(encodeEnd(end)), "one mark has one spelling");
    },
  },
  {
    name: "scope",
    seeds: () => [
      ...encodeGroups([parseRules(Buffer.from("*.tmp\n!keep/\n/a/**/[!b-d]?"), "seeds")]),
      encodeScope({
        kind: "directory",
        directory: Buffer.from("a/b"),
        rules: parseRules(Buffer.from("c"), "seeds").rules,
      }),
      encodeScope({ kind: "spared", paths: [Buffer.from("a/socket"), Buffer.from("mount")] }),
      encodeScope({ kind: "delete", limit: { kind: "percent", value: 25 } }),
    ],
    words: ["..", "/", ".fanfold", "[", "**", "\\"],
    run: (input) => {
      const scope = refuses(["damaged"], () => decodeScope(input));
      must(scope === undefined || encodeScope(scope).equals(Buffer.from(input)), "one table has one spelling");
    },
  },
  {
    name: "manifest-record",
    seeds: () => [
      encodeHeader({
        ...{ session: "photos", sessionId: "abcdefghijkl", source: "ab", timeMs: 1 },
        ...{ numericIds: true, asRoot: true },
      }),
      manifestPage(),
      encodeDeclared([1, 2, 300]),
      encodeLacks(new Map([[300, 255]])),
    ],
    run: recordHolds,
  },
];

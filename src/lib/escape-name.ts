/**
 * Makes the bytes of a name safe and readable wherever a person or a log sees them. What is not valid UTF-8 becomes
 * `\xNN`. Control, format (bidi, zero width) and separator characters become `\n`, `\t` or `\u{…}`. A backslash is
 * doubled. So the text can be turned back into the bytes.
 */
export function escapeName(name: Uint8Array): string {
  if (isPlain(name)) return Buffer.from(name.buffer, name.byteOffset, name.byteLength).toString("latin1");
  let out = "";
  let at = 0;
  while (at < name.length) {
    const length = utf8Length(name, at);
    if (length === 0) {
      out += `\\x${byteAt(name, at).toString(16).padStart(2, "0")}`;
      at += 1;
    } else {
      out += escapeCharacter(decoder.decode(name.subarray(at, at + length)));
      at += length;
    }
  }
  return out;
}

/** The same for text that is already a string: names of machines, messages of a peer. */
export function escapeText(text: string): string {
  let out = "";
  for (const character of text) out += escapeCharacter(character);
  return out;
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const SHORT: ReadonlyMap<string, string> = new Map([
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
  ["\\", "\\\\"],
]);
/** Other: control, format, surrogate, private use, unassigned; line and paragraph separators; every space but U+0020. */
const UNSAFE = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u;

function escapeCharacter(character: string): string {
  const short = SHORT.get(character);
  if (short !== undefined) return short;
  if (!UNSAFE.test(character)) return character;
  const code = character.codePointAt(0) ?? 0;
  return code < 0x80 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
}

/** Nearly every name: printable ASCII without a backslash, which stands for itself. */
function isPlain(name: Uint8Array): boolean {
  for (const byte of name) if (byte < 0x20 || byte > 0x7e || byte === 0x5c) return false;
  return true;
}

type ByteRange = readonly [from: number, to: number];
const CONTINUATION: ByteRange = [0x80, 0xbf];
/** Well-formed UTF-8 of more than one byte, by its first byte (Unicode table 3-7): what its second may be, and its length. */
const SEQUENCES: readonly { readonly first: ByteRange; readonly second: ByteRange; readonly length: number }[] = [
  { first: [0xc2, 0xdf], second: CONTINUATION, length: 2 },
  { first: [0xe0, 0xe0], second: [0xa0, 0xbf], length: 3 },
  { first: [0xe1, 0xec], second: CONTINUATION, length: 3 },
  { first: [0xed, 0xed], second: [0x80, 0x9f], length: 3 },
  { first: [0xee, 0xef], second: CONTINUATION, length: 3 },
  { first: [0xf0, 0xf0], second: [0x90, 0xbf], length: 4 },
  { first: [0xf1, 0xf3], second: CONTINUATION, length: 4 },
  { first: [0xf4, 0xf4], second: [0x80, 0x8f], length: 4 },
];

/** Length in bytes of the well-formed UTF-8 sequence that starts at `at`, or 0. */
export function utf8Length(bytes: Uint8Array, at: number): number {
  const byte = byteAt(bytes, at);
  if (byte < 0x80) return 1;
  const sequence = SEQUENCES.find(({ first }) => isIn(first, byte));
  if (sequence === undefined || at + sequence.length > bytes.length) return 0;
  const [second = 0, ...others] = bytes.subarray(at + 1, at + sequence.length);
  const isWell = isIn(sequence.second, second) && others.every((other) => isIn(CONTINUATION, other));
  return isWell ? sequence.length : 0;
}

function isIn([from, to]: ByteRange, byte: number): boolean {
  return byte >= from && byte <= to;
}

function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0;
}

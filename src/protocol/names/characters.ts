import { utf8Length } from "../../lib/escape-name.ts";

/** What stands for a byte that is no part of well-formed UTF-8: behind every code point of Unicode. */
const STRAY = 0x11_0000;
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * A name as characters, so that a pattern can match one character in a name of any bytes. UTF-8 bytes become code points.
 * Each other byte becomes `STRAY` + byte. Different names give different characters.
 */
export function charactersOf(bytes: Uint8Array): number[] {
  const characters: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    const byte = bytes[at] ?? 0;
    const length = byte < 0x80 ? 1 : utf8Length(bytes, at);
    if (byte < 0x80) characters.push(byte);
    else if (length === 0) characters.push(STRAY + byte);
    else characters.push(decoder.decode(bytes.subarray(at, at + length)).codePointAt(0) ?? 0);
    at += Math.max(1, length);
  }
  return characters;
}

/** Cuts at every `separator`; at least one part. */
export function splitAt(characters: readonly number[], separator: number): (readonly number[])[] {
  const parts: (readonly number[])[] = [];
  let start = 0;
  for (let at = characters.indexOf(separator); at !== -1; at = characters.indexOf(separator, start)) {
    parts.push(characters.slice(start, at));
    start = at + 1;
  }
  parts.push(characters.slice(start));
  return parts;
}
